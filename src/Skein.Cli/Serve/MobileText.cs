using System.Text;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>A mobile process as <c>skein inspect</c> shows it: its calls as a stack trace, with the line at which each waits and its locals.</summary>
static class MobileText
{
    public static async Task<int> ShowAsync(string socket, string id, bool asJson)
    {
        await ControlClient.AskAsync(socket, ["inspect", id], data: found => StandardStream.Output.Write(asJson ? found.GetRawText() + "\n" : Format(found)), limit: MobileCommands.LookLimit).ConfigureAwait(false);
        return 0;
    }

    static string Format(JsonElement found)
    {
        var text = new StringBuilder();
        foreach (var member in found.EnumerateObject().Where(member => member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False && member.Name != "waitsFor"))
            text.Append($"{member.Name,-18} {member.Value}\n");
        AppendStack(text, "", found);
        foreach (var child in found.GetProperty("children").EnumerateArray())
            AppendStack(text, "beside it: ", child);
        AppendList(text, "timers", found.GetProperty("timers").EnumerateArray().Select(due => due.GetString()!));
        AppendList(text, "mailbox", found.GetProperty("mailbox").EnumerateArray().Select(mail => (mail.TryGetProperty("event", out var name) ? $"event {name.GetString()}: " : "") + mail.GetProperty("value").GetString()));
        AppendList(text, "values", found.GetProperty("values").EnumerateObject().Select(value => $"{value.Name} = {value.Value.GetString()}"));
        return text.ToString();
    }

    static void AppendStack(StringBuilder text, string beginning, JsonElement stack)
    {
        text.Append($"\n{beginning}waits for {stack.GetProperty("waitsFor").GetString()}\n");
        foreach (var frame in stack.GetProperty("frames").EnumerateArray())
        {
            text.Append($"  in {frame.GetProperty("function").GetString()}");
            if (frame.TryGetProperty("file", out var file))
                text.Append($" {file.GetString()}:line {frame.GetProperty("line").GetInt32()}");
            text.Append('\n');
            if (frame.TryGetProperty("locals", out var locals))
            {
                foreach (var local in locals.EnumerateObject())
                    text.Append($"       {local.Name} = {local.Value.GetString()}\n");
            }
        }
    }

    static void AppendList(StringBuilder text, string name, IEnumerable<string> lines)
    {
        var all = lines.ToArray();
        if (all.Length > 0)
            text.Append($"\n{name}\n");
        foreach (var line in all)
            text.Append($"  {line}\n");
    }
}
