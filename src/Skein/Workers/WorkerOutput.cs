using System.Runtime.Versioning;

namespace Skein;

/// <summary>What a worker prints: forwarded line by line, so that the lines of several workers do not mix; the last errors are kept.</summary>
[SupportedOSPlatform("linux")]
sealed class WorkerOutput : IDisposable
{
    // What has escaped its end may hold its output open for ever; and so may a handler of lines that does not return.
    static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1), OutputLimit = TimeSpan.FromSeconds(2);

    readonly CancellationTokenSource _over = new();
    readonly LineSink _output, _errors;
    int _outputHere = -1, _errorsHere = -1;

    WorkerOutput(ProcessOptions options)
    {
        _output = new(Guarded(options.OnOutput ?? Console.Out.WriteLine));
        _errors = new(Guarded(options.OnError ?? Console.Error.WriteLine));
        (_outputHere, OutputEnd) = Descriptor.Pipe();
        try
        {
            (_errorsHere, ErrorEnd) = Descriptor.Pipe();
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    /// <summary>Is told what a handler of lines throws; the lines that follow are handed on.</summary>
    public Action<Exception>? OnFailure { get; set; }

    /// <summary>For the worker to write to; closed here by <see cref="Begin"/>.</summary>
    public int OutputEnd { get; private set; } = -1;

    public int ErrorEnd { get; private set; } = -1;

    Task _drained = Task.CompletedTask;   // when all that was printed has been forwarded

    public string LastErrors => _errors.LastLines;

    /// <summary>Why a program has broken down stands in its last lines, which have been printed and may not have been read yet.</summary>
    public Task LastWordsAsync() => _drained.IsCompleted ? _drained : Task.WhenAny(_drained, Task.Delay(LastWords, CancellationToken.None));

    /// <summary>Nothing of the worker is left: forwards what it has printed. Not what others may print who have escaped its end.</summary>
    public async Task DrainAsync()
    {
        _over.CancelAfter(OutputLimit);
        await _drained.ConfigureAwait(false);
        Dispose();
    }

    public void Dispose() => _over.Dispose();

    public static WorkerOutput Create(ProcessOptions options) => new(options);

    /// <summary>The worker has its ends: from now on forward.</summary>
    public void Begin()
    {
        CloseEnds();
        _drained = Task.WhenAll(ForwardAsync(_outputHere, _output), ForwardAsync(_errorsHere, _errors));
        _outputHere = _errorsHere = -1;
    }

    /// <summary>Adds a line of our own to the errors.</summary>
    public void Note(string line) => _errors.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>There will be no worker.</summary>
    public void Abandon()
    {
        CloseEnds();
        Close(_outputHere);
        Close(_errorsHere);
        _outputHere = _errorsHere = -1;
        Dispose();
    }

    Action<string> Guarded(Action<string> handler) => line =>
    {
        try
        {
            handler(line);
        }
        catch (Exception error)
        {
            OnFailure?.Invoke(error);
        }
    };

    async Task ForwardAsync(int descriptor, LineSink lines)
    {
        try
        {
            await OutputPump.ReadAsync(descriptor, lines.Write, _over.Token).ConfigureAwait(false);
            lines.Complete();
        }
        catch (Exception)
        {
            // The pipe cannot be read any more: what the worker prints goes nowhere, and it lives on.
        }
    }

    void CloseEnds()
    {
        Close(OutputEnd);
        Close(ErrorEnd);
        OutputEnd = ErrorEnd = -1;
    }

    static void Close(int descriptor)
    {
        if (descriptor >= 0)
            _ = Libc.Close(descriptor);
    }
}
