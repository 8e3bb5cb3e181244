using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary><see cref="ServerModel.Prefork"/> makes a program the master of workers that are the program once more.</summary>
public class PreforkModelTests
{
    static Task<WebProgram> StartAsync(params string[] options) => WebProgram.StartAsync(["--model", "prefork", "--workers", "2", .. options]);

    [Fact]
    public async Task A_program_is_served_by_workers_and_does_nothing_itself()
    {
        await using var program = await StartAsync();
        var workers = program.Children();
        Assert.Equal(2, workers.Length);

        Assert.Contains(int.Parse(await program.GetAsync("/"), CultureInfo.InvariantCulture), workers);

        // The application's own work is done by its workers.
        await Limits.Until(() => workers.All(worker => program.Output.Contains($"hosted service in {worker}", StringComparison.Ordinal)), () => program.Output);
        Assert.DoesNotContain($"hosted service in {program.Id}\n", program.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SIGHUP_replaces_the_workers_and_no_request_fails()
    {
        Assert.SkipUnless(Limits.Long, "that of skein serve is the quick one: ./check --long");
        await using var program = await StartAsync();
        var old = program.Children();
        var clients = new StrictClients(program.Address).Start(kept: 2, fresh: 2);
        await Limits.Until(() => clients.Answered > 20, "load");

        await program.SignalAsync("HUP");

        await Limits.Until(() => program.Output.Contains("skein: reloaded: 2 serve", StringComparison.Ordinal), () => program.Output, 20);
        await Limits.Until(() => !program.Children().Intersect(old).Any(), "the old workers' end", 20);
        await clients.DisposeAsync();
        Assert.Equal([], clients.Failures);
    }

    [Fact]
    public async Task A_worker_is_replaced_when_it_dies_and_after_so_many_requests()
    {
        Assert.SkipUnless(Limits.Long, "workers are started again and again for it: ./check --long");
        await using var program = await StartAsync("--max-requests", "50");
        var first = program.Children();
        await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{first[0]}");
        await Limits.Until(() => program.Children() is [_, _] now && !now.Contains(first[0]), () => program.Output, 20);

        await using var clients = new StrictClients(program.Address).Start(kept: 2, fresh: 2);
        await Limits.Until(() => !program.Children().Contains(first[1]), () => program.Output, 30);
        Assert.Equal([], clients.Failures);
    }

    [Fact]
    public async Task SIGTERM_ends_what_runs_and_then_the_workers_and_the_program()
    {
        await using var program = await StartAsync();
        var workers = program.Children();
        var running = program.GetAsync("/pause?ms=700");
        await program.NoteAsync("pausing");

        await program.StopAsync();

        Assert.Equal("paused", await running);
        Assert.All(workers, worker => Assert.False(Directory.Exists($"/proc/{worker}")));
    }

    [Fact]
    public async Task An_address_in_use_is_the_programs_end_with_the_reason()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync("--urls", $"http://{taken.LocalEndPoint}"));

        Assert.Contains("is in use: something else listens there", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_skein_serve_it_is_a_worker_like_any_other()
    {
        await using var app = await ServedApp.StartWebAsync("--workers", "1", "--", "--model", "prefork");

        Assert.Equal(app.Workers().Single(), int.Parse(await app.GetAsync("/"), CultureInfo.InvariantCulture));
        Assert.Empty(File.ReadAllText($"/proc/{app.Workers().Single()}/task/{app.Workers().Single()}/children"));
    }

    [Fact]
    public void It_has_a_worker_at_least_and_is_written_with_their_number()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ServerModel.Prefork(0));
        Assert.Equal("Prefork(3)", ServerModel.Prefork(3).ToString());
    }
}
