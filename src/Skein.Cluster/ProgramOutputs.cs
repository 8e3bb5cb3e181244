using System.Text;
using System.Threading.Channels;

namespace Skein;

/// <summary>What a program prints, on its way to who has started it: as bytes, in order. Who reads slowly holds the program up, as a pipe would.</summary>
sealed class SayingQueue(ControlRequest request, bool isUnheard)
{
    const int Most = 64;

    readonly Channel<(string Stream, byte[] Bytes)> _waiting = Channel.CreateBounded<(string, byte[])>(Most);
    Task _saying = Task.CompletedTask;

    public void Add(string stream, byte[] bytes)
    {
        if (!isUnheard && !_waiting.Writer.TryWrite((stream, bytes)))
            AddLaterAsync(stream, bytes).GetAwaiter().GetResult();
    }

    async Task AddLaterAsync(string stream, byte[] bytes)
    {
        try
        {
            await _waiting.Writer.WriteAsync((stream, bytes), request.Gone).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // Nobody reads any more.
        }
    }

    public void Begin() => _saying = SayAsync();

    public Task EndAsync()
    {
        _waiting.Writer.TryComplete();
        return _saying;
    }

    async Task SayAsync()
    {
        await foreach (var (stream, bytes) in _waiting.Reader.ReadAllAsync(request.Gone).ConfigureAwait(false))
            await request.DataAsync(json => json.WriteBase64String(stream, bytes)).ConfigureAwait(false);
    }
}

/// <summary>The same as lines, for the log. What comes before it is known whose they are waits.</summary>
sealed class ProgramLines
{
    readonly Lock _gate = new();
    readonly Decoder _output = Encoding.UTF8.GetDecoder(), _errors = Encoding.UTF8.GetDecoder();
    readonly LineBuffer _outputLine, _errorLine;
    readonly List<(string Text, bool IsError)> _early = [];
    ServeLog? _log;
    string _origin = "";

    public ProgramLines()
    {
        _outputLine = new(line => Log(line, isError: false));
        _errorLine = new(line => Log(line, isError: true));
    }

    public void Begin(ServeLog log, string origin)
    {
        lock (_gate)
        {
            (_log, _origin) = (log, origin);
            foreach (var (text, isError) in _early)
                Log(text, isError);
            _early.Clear();
        }
    }

    public void Add(ReadOnlySpan<byte> bytes, bool isError)
    {
        lock (_gate)
        {
            var decoder = isError ? _errors : _output;
            var letters = new char[decoder.GetCharCount(bytes, flush: false)];
            decoder.GetChars(bytes, letters, flush: false);
            (isError ? _errorLine : _outputLine).Add(letters);
        }
    }

    /// <summary>It has ended.</summary>
    public void End()
    {
        lock (_gate)
        {
            _outputLine.End();
            _errorLine.End();
        }
    }

    void Log(string text, bool isError)
    {
        if (_log is null)
            _early.Add((text, isError));
        else
            _log.Add(_origin, LogSeverity.Information, text, isError);
    }
}
