using System.Buffers;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>
/// One JSON object a line for each job, with its output in it, and a last one that sums up. Output that is not UTF-8 text is given in
/// base 64 under another name, so that no byte is changed silently.
/// </summary>
sealed class JsonWriter : JobWriter
{
    readonly ArrayBufferWriter<byte> _line = new();

    public override void Write(JobResult result) => WriteLine(json =>
    {
        json.WriteNumber("job", result.Job.Number);
        json.WriteString("input", result.Job.Input);
        json.WriteString("command", result.Command);
        json.WriteString("cause", Name(result.End.Cause));
        json.WriteNumber("exitCode", result.End.ExitCode);
        if (result.End.Signal > 0)
            json.WriteNumber("signal", result.End.Signal);
        if (result.End.Detail is { } detail)
            json.WriteString("detail", detail);
        json.WriteNumber("tries", result.Tries);
        json.WriteNumber("started", result.Started.ToUnixTimeMilliseconds() / 1000.0);
        json.WriteNumber("seconds", Math.Round(result.Duration.TotalSeconds, 6));
        if (result.End.PeakMemory > 0)
            json.WriteNumber("peakMemory", result.End.PeakMemory);
        WriteOutput(json, "output", result.Output.Output);
        WriteOutput(json, "error", result.Output.Error);
    });

    public void WriteSummary(MapProgress progress, int exitCode) => WriteLine(json =>
    {
        json.WriteStartObject("summary");
        json.WriteNumber("jobs", progress.Done);
        json.WriteNumber("succeeded", progress.Done - progress.Failed);
        json.WriteNumber("failed", progress.Failed);
        json.WriteNumber("skipped", progress.Skipped);
        json.WriteNumber("stopped", progress.Stopped);
        if (progress.Restarts is { } restarts)
            json.WriteNumber("restarts", restarts);
        json.WriteNumber("seconds", Math.Round(progress.Elapsed.TotalSeconds, 6));
        json.WriteNumber("exitCode", exitCode);
        json.WriteEndObject();
    });

    /// <summary>How an end is called in JSON: <c>exited</c>, <c>timedOut</c>, <c>outOfMemory</c> …</summary>
    public static string Name(JobCause cause) => JsonNamingPolicy.CamelCase.ConvertName(cause.ToString());

    static void WriteOutput(Utf8JsonWriter json, string name, OutputBuffer output)
    {
        if (output.Length == 0)
            return;
        if (output.Length > MostInJson)
        {
            throw new CommandFailure(ExitCode.Unavailable,
                $"--json holds outputs up to {ByteSize.Format(MostInJson)}; a job has written {ByteSize.Format(output.Length)}. Let it write to a file of its own.");
        }

        var bytes = new byte[output.Length];
        var length = 0;
        output.Read(piece =>
        {
            piece.CopyTo(bytes.AsSpan(length));
            length += piece.Length;
        });
        if (System.Text.Unicode.Utf8.IsValid(bytes))
            json.WriteString(name, bytes);
        else
            json.WriteBase64String(name + "Base64", bytes);
    }

    /// <summary>A JSON text is built in memory, up to six times as long as what it holds.</summary>
    const long MostInJson = 128 << 20;

    void WriteLine(Action<Utf8JsonWriter> content)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        _line.Write("\n"u8);
        lock (Screen.Lock)
        {
            Screen.Clear();
            StandardStream.Output.Write(_line.WrittenSpan);
        }
    }
}
