using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Skein.Tests.Cluster;

/// <summary>What a control socket has answered.</summary>
sealed record Asked(bool IsDone, string? Why, bool IsLate, JsonElement[] Data, string[] Said)
{
    /// <summary>The control socket of a node.</summary>
    public static async Task<Asked> Async(string folder, string node, params string[] words)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder, $"{node}.sock"))).Within();
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(words) + "\n"));
        using var reader = new StreamReader(stream);
        var (data, said) = (new List<JsonElement>(), new List<string>());
        while (await reader.ReadLineAsync().Within(30) is { } line)
        {
            using var json = JsonDocument.Parse(line);
            var answer = json.RootElement;
            if (answer.TryGetProperty("data", out var item))
                data.Add(item.Clone());
            else if (answer.TryGetProperty("say", out var text))
                said.Add(text.GetString()!);
            else
                return new(answer.GetProperty("end").GetBoolean(), answer.TryGetProperty("why", out var why) ? why.GetString() : null, answer.TryGetProperty("late", out _), [.. data], [.. said]);
        }
        throw new IOException("no end was said");
    }
}
