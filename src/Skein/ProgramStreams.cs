using System.Runtime.Versioning;

namespace Skein;

/// <summary>The standard streams of a program that is started: which descriptors it gets, and what is done with the other ends.</summary>
[SupportedOSPlatform("linux")]
sealed class ProgramStreams
{
    readonly List<int> _childs = [];
    readonly List<(int Descriptor, ForwardedOutput Output)> _outputs = [];
    int _input = -1;

    public int Input(ProgramStart program)
    {
        if (program.InheritInput)
            return 0;
        if (program.StandardInput is null)
            return Null(ReadOnly);
        var (read, write) = Pipe();
        _input = write;
        return read;
    }

    public int Output(ProgramOutput output, int inherited)
    {
        switch (output)
        {
            case ForwardedOutput forwarded:
                var (read, write) = Pipe(readByChild: false);
                _outputs.Add((read, forwarded));
                return write;
            case DiscardedOutput:
                return Null(WriteOnly);
            default:
                return inherited;
        }
    }

    /// <summary>
    /// The program has its ends. The task completes when all it printed was taken. A stream or a sink of the caller's that fails is told
    /// at once: half of an input must not pass for the whole.
    /// </summary>
    public Task Begin(ProgramStart program, Action<Exception> onFailure)
    {
        CloseChilds();
        if (_input >= 0)
            _ = FeedAsync(program.StandardInput!, _input, onFailure);
        _input = -1;
        if (_outputs.Count == 0)
            return Task.CompletedTask;
        var reads = _outputs.Select(output => ReadAsync(output.Descriptor, output.Output.Sink, onFailure)).ToArray();
        _outputs.Clear();
        return Task.WhenAll(reads);
    }

    public void Abandon()
    {
        CloseChilds();
        foreach (var (descriptor, _) in _outputs)
            _ = Libc.Close(descriptor);
        if (_input >= 0)
            _ = Libc.Close(_input);
    }

    // A program need not read its input to the end: a broken pipe is its right.
    static async Task FeedAsync(Stream source, int descriptor, Action<Exception> onFailure)
    {
        using var pipe = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Write, 0);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            int length;
            try
            {
                length = await source.ReadAsync(buffer).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                onFailure(error);
                return;
            }

            if (length == 0)
                return;
            try
            {
                await pipe.WriteAsync(buffer.AsMemory(0, length)).ConfigureAwait(false);
            }
            catch (IOException)
            {
                return;   // as said
            }
        }
    }

    static async Task ReadAsync(int descriptor, Action<ReadOnlySpan<byte>> sink, Action<Exception> onFailure)
    {
        try
        {
            await OutputPump.ReadAsync(descriptor, sink).ConfigureAwait(false);
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

}
