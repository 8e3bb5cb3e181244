using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;

namespace Skein.Cli;

/// <summary>
/// The inputs, numbered from 1. Those of standard input are read by a thread of their own, only a little ahead of the jobs: input that
/// never ends does not fill memory, and a producer that is slow does not hold up what has ended meanwhile.
/// </summary>
sealed class Inputs
{
    const int ReadAhead = 256;

    /// <summary>A line longer than this is no list of inputs; the kernel's own limit for an argument is 128 KB.</summary>
    const int LongestLine = 64 << 20;

    readonly Channel<Job> _jobs;

    Inputs(Channel<Job> jobs, long? count)
    {
        _jobs = jobs;
        Count = count;
    }

    /// <summary>How many there are; null while that is not known.</summary>
    public long? Count { get; }

    public static Inputs Of(IReadOnlyCollection<string> inputs)
    {
        var jobs = Channel.CreateUnbounded<Job>();
        long number = 0;
        foreach (var input in inputs)
            jobs.Writer.TryWrite(new(++number, input));
        jobs.Writer.Complete();
        return new(jobs, inputs.Count);
    }

    /// <summary>One a line of standard input, read as they are asked for.</summary>
    public static Inputs OfStandardInput()
    {
        var jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(ReadAhead) { SingleWriter = true });
        new Thread(() => Read(jobs.Writer)) { IsBackground = true, Name = "inputs" }.Start();
        return new(jobs, null);
    }

    /// <summary>The next one, or null after the last.</summary>
    /// <exception cref="CommandFailure">Standard input cannot be read, or is not text.</exception>
    public async ValueTask<Job?> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (_jobs.Reader.TryRead(out var job))
                return job;
            if (!await _jobs.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
                return null;
        }
    }

    static void Read(ChannelWriter<Job> jobs)
    {
        try
        {
            long number = 0;
            foreach (var line in Lines())
            {
                var job = new Job(++number, line);
                while (!jobs.TryWrite(job))
                    jobs.WaitToWriteAsync().AsTask().GetAwaiter().GetResult();
            }

            jobs.Complete();
        }
        catch (CommandFailure failure)
        {
            jobs.Complete(failure);
        }
    }

    public static IEnumerable<string> Lines()
    {
        var buffer = new byte[1 << 16];
        var start = 0;
        var end = 0;
        long number = 0;
        while (true)
        {
            while (buffer.AsSpan(start, end - start).IndexOf((byte)'\n') is >= 0 and var length)
            {
                yield return Text(buffer.AsSpan(start, length), ++number);
                start += length + 1;
            }

            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
            if (end == buffer.Length)
            {
                if (end >= LongestLine)
                    throw new CommandFailure(ExitCode.Usage, $"line {number + 1} of standard input is longer than {ByteSize.Format(LongestLine)}; inputs are one a line.");
                Array.Resize(ref buffer, end * 2);
            }

            var read = Fill(buffer, end);
            if (read == 0)
                break;
            end += read;
        }

        if (end > 0)
            yield return Text(buffer.AsSpan(0, end), number + 1);
    }

    static int Fill(byte[] buffer, int from)
    {
        while (true)
        {
            var read = Native.Read(0, buffer.AsSpan(from), (nuint)(buffer.Length - from));
            if (read >= 0)
                return (int)read;
            switch (Marshal.GetLastPInvokeError())
            {
                case ErrorNumber.Interrupted:
                    break;
                case ErrorNumber.TryAgain: // some other program made what we share non-blocking
                    Native.WaitFor(0, Native.Readable);
                    break;
                case var error:
                    throw new CommandFailure(ExitCode.NoInput, $"standard input cannot be read: {Marshal.GetPInvokeErrorMessage(error)}.");
            }
        }
    }

    static string Text(ReadOnlySpan<byte> line, long number)
    {
        try
        {
            return Strict.GetString(line);
        }
        catch (DecoderFallbackException)
        {
            throw new CommandFailure(ExitCode.Usage, $"line {number} of standard input is not UTF-8 text; an input that is changed on the way would name another file.");
        }
    }

    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
