using System.Buffers;
using System.Text;
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

    void WriteOutput(Utf8JsonWriter json, string name, OutputBuffer output)
    {
        if (output.Length == 0)
            return;
        var isText = IsText(output);
        json.WritePropertyName(isText ? name : name + "Base64");
        output.Read(piece =>
        {
            if (isText)
                json.WriteStringValueSegment(piece, isFinalSegment: false);
            else
                json.WriteBase64StringSegment(piece, isFinalSegment: false);
            if (json.BytesPending > MostPending)
                Send(json);
        });
        if (isText)
            json.WriteStringValueSegment(""u8, isFinalSegment: true);
        else
            json.WriteBase64StringSegment([], isFinalSegment: true);
    }

    static bool IsText(OutputBuffer output)
    {
        var isText = true;
        var carried = new List<byte>();   // of a character that a piece has cut in two
        output.Read(piece =>
        {
            if (carried.Count > 0)
                piece = (byte[])[.. carried, .. piece];
            var whole = Whole(piece);
            isText = isText && System.Text.Unicode.Utf8.IsValid(piece[..whole]);
            carried = [.. piece[whole..]];
        });
        return isText && carried.Count == 0;
    }

    /// <summary>How many of the bytes come before a last character that is not whole.</summary>
    static int Whole(ReadOnlySpan<byte> bytes)
    {
        for (var last = 1; last <= Math.Min(3, bytes.Length); last++)
        {
            if (Rune.DecodeFromUtf8(bytes[^last..], out _, out _) == OperationStatus.NeedMoreData)
                return bytes.Length - last;
        }

        return bytes.Length;
    }

    /// <summary>Bytes; a line that is longer is written in pieces.</summary>
    const int MostPending = 1 << 20;

    void WriteLine(Action<Utf8JsonWriter> content) => Screen.Above(StandardStream.Output, () =>
    {
        using (var json = new Utf8JsonWriter(_line, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
            Send(json);
        }

        StandardStream.Output.Write("\n"u8);
    });

    void Send(Utf8JsonWriter json)
    {
        json.Flush();
        StandardStream.Output.Write(_line.WrittenSpan);
        _line.ResetWrittenCount();
    }
}
