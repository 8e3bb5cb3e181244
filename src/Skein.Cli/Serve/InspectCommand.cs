using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>Carries out <c>skein inspect</c>: what the server knows, and for a worker what the kernel does.</summary>
static class InspectCommand
{
    public static async Task<int> RunAsync(string? id, bool asJson)
    {
        var found = await RunningServers.FindAsync(id).ConfigureAwait(false);
        if (found.Process is { Kind: not "program" })
            return await MobileText.ShowAsync(found.Server.Socket, id!, asJson).ConfigureAwait(false);
        var known = found.Worker?.Json ?? found.Process?.Json ?? found.Server.Json!.Value;
        var pid = found.Worker?.Pid ?? found.Process?.Pid ?? found.Server.Pid;
        var process = pid > 0 ? ProcessContext(pid) : [];   // a service for which nothing runs
        if (asJson)
        {
            using var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartObject();
                foreach (var member in known.EnumerateObject())
                    member.WriteTo(json);
                json.WriteStartObject("process");
                foreach (var (name, value) in process)
                    json.WriteString(name, value);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            StandardStream.Output.Write(Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
            return 0;
        }

        var text = new StringBuilder();
        foreach (var member in known.EnumerateObject().Where(member => member.Value.ValueKind is not JsonValueKind.Array || member.Name is "addresses" or "peers" || (member.Name == "processes" && found.Server.Kind != "node")))
            text.AppendLine(CultureInfo.InvariantCulture, $"{member.Name,-18} {member.Value}");
        foreach (var (name, value) in process)
            text.AppendLine(CultureInfo.InvariantCulture, $"{name,-18} {value}");
        StandardStream.Output.Write(text.ToString());
        return 0;
    }

    static List<(string Name, string Value)> ProcessContext(int id)
    {
        List<(string, string)> context = [];
        try
        {
            string[] wanted = ["State", "PPid", "Uid", "Threads", "VmPeak", "VmSize", "VmHWM", "VmRSS", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"];
            foreach (var line in File.ReadLines($"/proc/{id}/status").Select(line => line.Split(':', 2)).Where(line => wanted.Contains(line[0])))
                context.Add((line[0], string.Join(' ', line[1].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))));
            context.Add(("command", File.ReadAllText($"/proc/{id}/cmdline").TrimEnd('\0').Replace('\0', ' ')));
            context.Add(("folder", new FileInfo($"/proc/{id}/cwd").LinkTarget ?? ""));
            var files = Directory.GetFileSystemEntries($"/proc/{id}/fd").Select(file => new FileInfo(file).LinkTarget ?? "").ToList();
            context.Add(("open files", $"{files.Count} ({string.Join(", ", files.GroupBy(file => file.Split(':', '/')[0] is { Length: > 0 } kind ? kind : "file").Select(kind => $"{kind.Count()} {kind.Key}"))})"));
            foreach (var line in File.ReadLines($"/proc/{id}/limits").Where(line => line.StartsWith("Max open files", StringComparison.Ordinal) || line.StartsWith("Max processes", StringComparison.Ordinal)))
                context.Add((line[..26].Trim(), line[26..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            context.Add(("process", $"cannot be looked at: {error.Message}"));
        }

        return context;
    }
}
