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
sealed class LineSplitter
{
    readonly Lock _gate = new();
    readonly Decoder _output = Encoding.UTF8.GetDecoder(), _errors = Encoding.UTF8.GetDecoder();
    readonly StringBuilder _outputLine = new(), _errorLine = new();
    readonly List<(string Text, bool IsError)> _early = [];
    ServeLog? _log;
    string _origin = "";

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
            var line = isError ? _errorLine : _outputLine;
            var letters = new char[decoder.GetCharCount(bytes, flush: false)];
            decoder.GetChars(bytes, letters, flush: false);
            foreach (var letter in letters)
            {
                if (letter != '\n')
                {
                    line.Append(letter);
                    continue;
                }
                Log(line.ToString().TrimEnd('\r'), isError);
                line.Clear();
            }
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
