using System.Globalization;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>Sessions of a handler's worker go on in the worker that takes its place.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerSessionTests
{
    // One in each worker, made when it is first asked for.
    static readonly Lazy<SessionTable<List<string>>> Sessions = new(() => new(new() { HandOverAs = "tests" }));

    [Fact]
    public async Task Sessions_go_on_in_the_worker_that_takes_the_place_of_theirs()
    {
        await using var server = await SuperServerCase.StartAsync(Service.Handler("sessions", SuperServerCase.Free, ServeAsync) with { Workers = 1 });
        using var stays = await Speaker.ConnectAsync(server);
        using var other = await Speaker.ConnectAsync(server);
        var (kept, changed, ended) = (await stays.AskAsync("new kept"), await stays.AskAsync("new changed"), await stays.AskAsync("new ended"));
        var (both, gone) = (await stays.AskAsync("new both"), await stays.AskAsync("new gone"));
        var old = await stays.AskAsync("process");

        await server.Server.ReloadAsync([Service.Handler("sessions", SuperServerCase.Free, ServeAgainAsync) with { Workers = 1 }]).Within(30);

        using var next = await Speaker.ConnectAsync(server);
        Assert.NotEqual(old, await next.AskAsync("process"));
        Assert.Equal("kept", await next.AskAsync($"get {kept}"));   // at once, while the worker before still serves
        Assert.Equal("changed", await next.AskAsync($"get {changed}"));
        Assert.Equal("kept, by the new one", await next.AskAsync($"add {kept} by the new one"));
        Assert.Equal("The session has ended: start again.", await next.AskAsync("get 0123456789abcdef0123456789abcdef"));

        // Who is connected to the old one goes on there, and what it does is not lost.
        await ClockAsync();
        Assert.Equal(old, await stays.AskAsync("process"));
        Assert.Equal("changed, by the old one", await stays.AskAsync($"add {changed} by the old one"));
        Assert.Equal("ended", await stays.AskAsync($"end {ended}"));
        var made = await stays.AskAsync("new made");

        // Of what both have used, what was used last counts; what is no more does not come back.
        Assert.Equal("both, by the old one", await stays.AskAsync($"add {both} by the old one"));
        await ClockAsync();
        Assert.Equal("both, by the new one", await next.AskAsync($"add {both} by the new one"));
        Assert.Equal("ended", await next.AskAsync($"end {gone}"));
        stays.Dispose();
        other.Dispose();

        await UntilAsync(next, $"get {made}", "made");
        Assert.Equal("changed, by the old one", await next.AskAsync($"get {changed}"));
        Assert.Equal("kept, by the new one", await next.AskAsync($"get {kept}"));   // not as the old one knew it
        Assert.Equal("The session has ended: start again.", await next.AskAsync($"get {ended}"));
        Assert.Equal("both, by the new one", await next.AskAsync($"get {both}"));
        Assert.Equal("The session has ended: start again.", await next.AskAsync($"get {gone}"));
        Assert.Equal("4", await next.AskAsync("count"));   // none leaks
        await Limits.Until(() => ProcessStatus.Read(int.Parse(old, CultureInfo.InvariantCulture)) is null or { IsDead: true }, "the old worker to end");
    }

    [Fact]
    public async Task Sessions_of_a_worker_that_is_killed_have_ended_and_their_clients_are_told_so()
    {
        await using var server = await SuperServerCase.StartAsync(Service.Handler("sessions", SuperServerCase.Free, ServeAsync) with { Workers = 1 });
        string id, process;
        using (var first = await Speaker.ConnectAsync(server))
        {
            (id, process) = (await first.AskAsync("new lost"), await first.AskAsync("process"));
            Assert.Equal("lost", await first.AskAsync($"get {id}"));
            using var kill = System.Diagnostics.Process.Start("kill", ["-KILL", process]);
            await kill.WaitForExitAsync();
            await server.UntilAsync(status => status.Instances == 0, "its connection to be counted as ended");
        }

        using var next = await Speaker.ConnectAsync(server);
        Assert.Equal("The session has ended: start again.", await next.AskAsync($"get {id}"));
        Assert.Equal("0", await next.AskAsync("count"));
    }

    // What comes now is later than what was, on a clock of milliseconds.
    static Task ClockAsync()
    {
        var at = Environment.TickCount64;
        return Limits.Until(() => Environment.TickCount64 > at + 50, "the clock to go on");
    }

    static async Task UntilAsync(Speaker speaker, string question, string answer)
    {
        var started = TimeProvider.System.GetTimestamp();
        string last;
        while ((last = await speaker.AskAsync(question)) != answer)
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(20), $"waited in vain for '{answer}', got '{last}'");
    }

    static Task ServeAgainAsync(ConnectionContext connection) => ServeAsync(connection);

    static async Task ServeAsync(ConnectionContext connection)
    {
        using var reader = new StreamReader(connection.Transport.Input.AsStream());
        await using var writer = new StreamWriter(connection.Transport.Output.AsStream()) { AutoFlush = true };
        while (await reader.ReadLineAsync() is { } line)
            await writer.WriteLineAsync(Answer(line.Split(' ', 3)));
    }

    static string Answer(string[] words)
    {
        try
        {
            switch (words)
            {
                case ["process"]:
                    return $"{Environment.ProcessId}";
                case ["count"]:
                    return $"{Sessions.Value.Count}";
                case ["new", var text]:
                    return Sessions.Value.Create([text]);
                case ["add", var id, var text]:
                    Sessions.Value.Get(id).Add(text);
                    return string.Join(", ", Sessions.Value.Get(id));
                case ["end", var id]:
                    return Sessions.Value.Remove(id) ? "ended" : "unknown";
                default:
                    return string.Join(", ", Sessions.Value.Get(words[1]));
            }
        }
        catch (SessionEndedException error)
        {
            return error.Message;
        }
    }

    /// <summary>A client that asks line by line over one connection.</summary>
    sealed class Speaker(Client client) : IDisposable
    {
        public static async Task<Speaker> ConnectAsync(SuperServerCase server) => new(await server.ConnectAsync());

        public async Task<string> AskAsync(string line)
        {
            await client.SayAsync(line + "\n");
            return await client.LineAsync();
        }

        public void Dispose() => client.Dispose();
    }
}
