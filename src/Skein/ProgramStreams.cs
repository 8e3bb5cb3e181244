using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>The standard streams of a program that is started: which descriptors it gets, and what is done with the other ends.</summary>
[SupportedOSPlatform("linux")]
sealed class ProgramStreams
{
    readonly List<int> _childs = [];
    readonly List<Reading> _outputs = [];
    LineSink? _errors;
    int _input = -1;

    public int Input(ProgramStart program)
    {
        if (program.InheritInput)
            return Descriptor.IsInherited(0) ? 0 : Null(ReadOnly);
        if (program.StandardInput is null)
            return Null(ReadOnly);
        var (read, write) = Pipe();
        _input = write;
        return read;
    }

    public int Output(ProgramStart program) => Open(program.StandardOutput, program.Options.OnOutput is { } onLine ? new(onLine) : null, 1);

    /// <summary>What goes through our hands is kept, as far as its last lines. A program that shares our standard error, perhaps a terminal, has it for itself.</summary>
    public int Errors(ProgramStart program)
    {
        if (program.Options.OnError is not null || program.StandardError is ForwardedOutput)
            _errors = new(program.Options.OnError ?? (static _ => { }));
        return Open(program.StandardError, _errors, 2);
    }

    /// <summary>The last lines of standard error, as far as they came this way.</summary>
    public string LastErrors => _errors?.LastLines ?? "";

    int Open(ProgramOutput output, LineSink? lines, int inherited)
    {
        var sink = (output, lines) switch
        {
            (ForwardedOutput forwarded, null) => forwarded.Sink,
            (ForwardedOutput forwarded, not null) => forwarded.Sink + lines.Write,
            (InheritedOutput, not null) => lines.Write,
            _ => (Action<ReadOnlySpan<byte>>?)null,
        };
        if (sink is null)
            return output is InheritedOutput && Descriptor.IsInherited(inherited) ? inherited : Null(WriteOnly);
        var (read, write) = Pipe(readByChild: false);
        _outputs.Add(new(read, sink, lines));
        return write;
    }

    /// <summary>
    /// The program has its ends. The task completes when all it printed was taken. A stream or a sink of the caller's that fails is told
    /// at once.
    /// </summary>
    /// <param name="feed">Gets the other end of what the program reads, where it reads a stream of the caller's.</param>
    /// <param name="over">What has been printed is still taken, and no more is waited for.</param>
    public Task Begin(Action<Stream> feed, Action<Exception> onFailure, CancellationToken over)
    {
        CloseChilds();
        if (_input >= 0)
            feed(new FileStream(new SafeFileHandle(_input, ownsHandle: true), FileAccess.Write, 0));
        _input = -1;
        if (_outputs.Count == 0)
            return Task.CompletedTask;
        var reads = _outputs.Select(output => ReadAsync(output, onFailure, over)).ToArray();
        _outputs.Clear();
        return Task.WhenAll(reads);
    }

    public void Abandon()
    {
        CloseChilds();
        foreach (var output in _outputs)
            _ = Libc.Close(output.Descriptor);
        if (_input >= 0)
            _ = Libc.Close(_input);
    }

    static async Task ReadAsync(Reading output, Action<Exception> onFailure, CancellationToken over)
    {
        try
        {
            await OutputPump.ReadAsync(output.Descriptor, output.Sink, over).ConfigureAwait(false);
            output.Lines?.Complete();
        }
        catch (Exception error)
        {
            onFailure(error);
        }
    }

    int Null(int access)
    {
        var descriptor = ProcessFile.Open("/dev/null", access | Libc.CloseOnExec);
        _childs.Add(descriptor);
        return descriptor;
    }

    (int Read, int Write) Pipe(bool readByChild = true)
    {
        var (read, write) = Descriptor.Pipe();
        _childs.Add(readByChild ? read : write);
        return (read, write);
    }

    void CloseChilds()
    {
        foreach (var descriptor in _childs)
            _ = Libc.Close(descriptor);
        _childs.Clear();
    }

    const int ReadOnly = 0, WriteOnly = 1;

    /// <param name="Lines">Told at the end that there is no more, for the sake of a last line without an end.</param>
    sealed record Reading(int Descriptor, Action<ReadOnlySpan<byte>> Sink, LineSink? Lines);
}
