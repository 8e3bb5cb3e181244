using System.Text;

namespace Skein.Cli;

/// <summary>Writes what a job that has ended leaves to be read. Called for one job at a time.</summary>
abstract class JobWriter
{
    public abstract void Write(JobResult result);
}

/// <summary>The outputs as the programs wrote them: standard output to standard output, standard error to standard error.</summary>
sealed class OutputWriter : JobWriter
{
    public override void Write(JobResult result)
    {
        Write(result.Output.Output, StandardStream.Output);
        Write(result.Output.Error, StandardStream.Error);
    }

    static void Write(OutputBuffer output, StandardStream stream)
    {
        if (output.Length > 0)
            Screen.Above(stream, () => output.Read(stream.Write));
    }
}

/// <summary>The outputs with their input and a tab at the begin of each line.</summary>
sealed class TaggedOutputWriter : JobWriter
{
    public override void Write(JobResult result)
    {
        var tag = Encoding.UTF8.GetBytes(result.Job.Input + "\t");
        Screen.Above(StandardStream.Output, () => Write(result.Output.Output, tag, StandardStream.Output));
        Screen.Above(StandardStream.Error, () => Write(result.Output.Error, tag, StandardStream.Error));
    }

    static void Write(OutputBuffer output, byte[] tag, StandardStream stream)
    {
        var tagged = new MemoryStream();
        var lineBegins = true;
        output.Read(bytes =>
        {
            while (!bytes.IsEmpty)
            {
                if (lineBegins)
                    tagged.Write(tag);
                var length = bytes.IndexOf((byte)'\n') + 1;
                lineBegins = length > 0;
                if (length == 0)
                    length = bytes.Length;
                tagged.Write(bytes[..length]);
                bytes = bytes[length..];
            }

            stream.Write(tagged.GetBuffer().AsSpan(0, (int)tagged.Length));
            tagged.SetLength(0);
        });
    }
}
