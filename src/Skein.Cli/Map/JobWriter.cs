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
        if (result.Output.Output.Length + result.Output.Error.Length == 0)
            return;
        lock (Screen.Lock)
        {
            Screen.Clear();
            result.Output.Output.Read(StandardStream.Output.Write);
            result.Output.Error.Read(StandardStream.Error.Write);
        }
    }
}

/// <summary>The outputs with their input and a tab at the begin of each line.</summary>
sealed class TaggedOutputWriter : JobWriter
{
    public override void Write(JobResult result)
    {
        var tag = Encoding.UTF8.GetBytes(result.Job.Input + "\t");
        lock (Screen.Lock)
        {
            Screen.Clear();
            Write(result.Output.Output, tag, StandardStream.Output);
            Write(result.Output.Error, tag, StandardStream.Error);
        }
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
