using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>Asks what runs: one line of words to its control socket, objects back until one says that it is the end.</summary>
static class ControlClient
{
    /// <summary>Asks, and waits for the end.</summary>
    /// <param name="say">Gets each line for people.</param>
    /// <param name="data">Gets each object; it is valid during the call.</param>
    /// <param name="limit">How long the answer may take; null: for ever.</param>
    /// <exception cref="CommandFailure">It does not run, refuses, has failed, or has not answered in time: the message says why.</exception>
    public static async Task AskAsync(
        string socket, string[] words, Action<string>? say = null, Action<JsonElement>? data = null, TimeSpan? limit = null, CancellationToken cancellation = default)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (limit is { } time)
            late.CancelAfter(time);
        try
        {
            await AskAsync(socket, words, say, data, late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CommandFailure(ExitCode.Temporary, $"{Path.GetFileNameWithoutExtension(socket)} has not answered for {Duration.Format(limit!.Value)}: is it stopped, or the machine too busy?");
        }
    }

    static async Task AskAsync(string socket, string[] words, Action<string>? say, Action<JsonElement>? data, CancellationToken cancellation)
    {
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var id = Path.GetFileNameWithoutExtension(socket);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation).ConfigureAwait(false);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new CommandFailure(ExitCode.Unavailable, $"nothing that is called '{id}' runs: the path of its socket would be too long ({socket}). skein ps lists what does.");
        }
        catch (SocketException error)
        {
            throw new CommandFailure(ExitCode.Unavailable, error.SocketErrorCode == SocketError.AccessDenied
                ? $"{id}: only the user who started it, and root, may ask it ({socket})."
                : $"nothing that is called '{id}' runs ({socket}). skein ps lists what does.");
        }

        using var stream = new NetworkStream(connection);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(Format(words)), cancellation).ConfigureAwait(false);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            using var json = JsonDocument.Parse(line);
            var answer = json.RootElement;
            if (answer.TryGetProperty("say", out var text))
            {
                say?.Invoke(text.GetString()!);
            }
            else if (answer.TryGetProperty("data", out var item))
            {
                data?.Invoke(item);
            }
            else if (answer.TryGetProperty("end", out var end))
            {
                if (end.GetBoolean())
                    return;
                throw new CommandFailure(answer.TryGetProperty("late", out _) ? ExitCode.Temporary : ExitCode.Unavailable, answer.GetProperty("why").GetString()!);
            }
        }

        throw new CommandFailure(ExitCode.Unavailable, $"{id} has ended before it answered.");
    }

    static string Format(string[] words)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var word in words)
                json.WriteStringValue(word);
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }
}
