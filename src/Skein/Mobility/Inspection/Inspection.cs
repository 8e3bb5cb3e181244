using System.Buffers;
using System.Text.Json;

namespace Skein;

/// <summary>What a process does at this moment, as JSON: its calls with their lines and locals, concurrent ones too, its timers and mail, and its size.</summary>
static class Inspection
{
    /// <summary>In a turn of the process.</summary>
    public static byte[] Of(Resident process)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            var state = process.State;
            var stacks = CallStack.Of(process);
            json.WriteStartObject();
            json.WriteString("id", process.Id);
            json.WriteString("kind", "mobile");
            json.WriteString("name", ProcessName.Of(state.Root));
            json.WriteString("node", process.Node.Name);
            json.WriteString("state", state.Ready.All.Any() ? "running" : "waiting");
            json.WriteNumber("pid", Environment.ProcessId);
            json.WriteString("home", state.Home);
            json.WriteNumber("hops", state.Hops);
            json.WriteBoolean("stored", state.IsStored);
            WriteSize(json, process);
            json.WriteString("waitsFor", stacks is [var first, ..] ? first.WaitsFor : "");
            json.WriteStartArray("frames");
            foreach (var frame in stacks is [var own, ..] ? own.Frames : [])
                WriteFrame(json, frame);
            json.WriteEndArray();
            json.WriteStartArray("children");
            foreach (var child in stacks.Skip(1))
            {
                json.WriteStartObject();
                json.WriteString("waitsFor", child.WaitsFor);
                json.WriteStartArray("frames");
                foreach (var frame in child.Frames)
                    WriteFrame(json, frame);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            WriteTimers(json, process);
            WriteMailbox(json, state);
            WriteValues(json, "values", state.Values ?? []);
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Bytes of its image, or why it has none.</summary>
    static void WriteSize(Utf8JsonWriter json, Resident process)
    {
        var moving = new ImageWriting(process.Node, process.Id) { IsHandedOver = true };
        try
        {
            json.WriteNumber("size", MobileImage.Write(process.State, moving).Length);
        }
        catch (Exception e)   // whatever would keep it from moving, also a collection that changes meanwhile
        {
            json.WriteNull("size");
            json.WriteString("cannotMove", process.WaitsOutside ? process.WhyNotYet() : e.Message);
        }
        finally
        {
            moving.Over();
        }
    }

    static void WriteFrame(Utf8JsonWriter json, MobileFrame frame)
    {
        json.WriteStartObject();
        if (frame is not IMethodFrame { StateMachine: { } machine })
        {
            json.WriteString("function", SourceNames.Of(frame.GetType()));   // a combinator
        }
        else
        {
            json.WriteString("function", FrameNames.Of(machine.GetType()));
            if (SourceLines.Of(machine) is var (file, line))
            {
                json.WriteString("file", file);
                json.WriteNumber("line", line);
            }
            WriteValues(json, "locals", FrameNames.Variables(machine).Select(static local => KeyValuePair.Create(local.Name, local.Value)));
        }
        json.WriteEndObject();
    }

    static void WriteTimers(Utf8JsonWriter json, Resident process)
    {
        json.WriteStartArray("timers");
        for (var wait = process.Waits.First; wait is not null; wait = wait.After)
        {
            if (wait is DelayWait delay)
                json.WriteStringValue(delay.Due);
        }
        json.WriteEndArray();
    }

    static void WriteMailbox(Utf8JsonWriter json, MobileState state)
    {
        json.WriteStartArray("mailbox");
        foreach (var mail in state.Mailbox ?? [])
        {
            json.WriteStartObject();
            if (mail.EventName is { } name)
                json.WriteString("event", name);
            json.WriteString("value", ValueText.Of(mail.Content));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteValues(Utf8JsonWriter json, string property, IEnumerable<KeyValuePair<string, object?>> values)
    {
        json.WriteStartObject(property);
        foreach (var (name, value) in values.DistinctBy(static one => one.Key))
            json.WriteString(name, ValueText.Of(value));
        json.WriteEndObject();
    }
}
