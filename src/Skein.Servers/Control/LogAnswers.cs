using System.Globalization;

namespace Skein;

/// <summary>What clients of a <see cref="ControlSocket"/> hear of a server's log.</summary>
static class LogAnswers
{
    /// <summary>Carries something out whether or not its client stays, and tells the client what is said meanwhile.</summary>
    /// <param name="text">A line as the client sees it; null: it is not for it.</param>
    public static async Task FollowAsync(this ControlRequest request, ServeLog log, Func<Task> operation, Func<ServeLine, string?> text)
    {
        var running = Task.CompletedTask;
        await foreach (var line in request.LinesAsync(log, () => running = operation()).ConfigureAwait(false))
        {
            if (text(line) is { } said)
                await request.SayAsync(said).ConfigureAwait(false);
        }

        await running.ConfigureAwait(false);
    }

    /// <summary>Answers <c>logs SINCE LEVEL ORIGIN follow|once</c>.</summary>
    /// <param name="end">Of the server: nothing follows.</param>
    public static async Task LogsAsync(this ControlRequest request, ServeLog log, Task end)
    {
        if (request.Words is not ["logs", var since, var level, var origin, var follow]
            || !DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, out var from)
            || !Enum.TryParse<LogSeverity>(level, ignoreCase: true, out var least))
        {
            throw new ServeException("logs SINCE LEVEL ORIGIN follow|once is expected.");
        }

        await foreach (var line in request.LinesAsync(log, () => follow == "follow" ? end : Task.CompletedTask, fromStart: true).ConfigureAwait(false))
            await WriteAsync(line).ConfigureAwait(false);

        Task WriteAsync(ServeLine line) =>
            line.Time < from || line.Severity < least || (origin.Length > 0 && origin != line.Origin)
                ? Task.CompletedTask
                : request.DataAsync(json =>
                {
                    json.WriteNumber("number", line.Number);
                    json.WriteString("time", line.Time);
                    json.WriteString("id", line.Origin);
                    json.WriteString("level", line.Severity.ToString().ToLowerInvariant());
                    json.WriteString("text", line.Text);
                    if (line.Ending != ProcessEnding.None)
                        json.WriteString("ending", line.Ending.ToString().ToLowerInvariant());
                });
    }

    /// <summary>The lines that come until something has ended or the client has left.</summary>
    /// <param name="begin">Begins it, when lines are heard already.</param>
    static async IAsyncEnumerable<ServeLine> LinesAsync(this ControlRequest request, ServeLog log, Func<Task> begin, bool fromStart = false)
    {
        using var lines = log.Read(fromStart);
        _ = begin().ContinueWith(_ => lines.Complete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await foreach (var line in lines.ReadAsync(request.Gone).ConfigureAwait(false))
            yield return line;
    }
}
