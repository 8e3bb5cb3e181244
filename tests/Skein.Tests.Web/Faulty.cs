using System.Diagnostics.CodeAnalysis;

namespace Skein.Tests.Web;

/// <summary>Handlers with every fault that a handler can have.</summary>
static class Faulty
{
    static readonly string? Notes = Environment.GetEnvironmentVariable("SKEIN_TEST_NOTES");

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/throw", string () => throw new InvalidOperationException("broken"));
        routes.MapGet("/exit", Exit);
        routes.MapGet("/overflow", () => $"{Overflow(1)}");
        routes.MapGet("/spin", Spin);
        routes.MapGet("/wait", Wait);
        routes.MapGet("/abort", (HttpContext context) => context.Abort());
        routes.MapGet("/half", Half);
        routes.MapGet("/half-throw", HalfThrow);
    }

    /// <summary>Leaves a note that the test can read.</summary>
    public static void Note(string name, string text)
    {
        if (Notes is not null)
            File.WriteAllText(Path.Combine(Notes, name), text);
    }

    /// <summary>Waits until the test leaves a note.</summary>
    public static async Task WaitFor(string name, CancellationToken cancellation)
    {
        while (!File.Exists(Path.Combine(Notes!, name)))
            await Task.Delay(TimeSpan.FromMilliseconds(2), cancellation);
    }

    public static string Fill(long bytes)
    {
        List<byte[]> blocks = [];
        for (var filled = 0L; filled < bytes; filled += 1 << 20)
        {
            var block = new byte[1 << 20];
            Array.Fill(block, (byte)1);
            blocks.Add(block);
        }

        return $"{blocks.Count}";
    }

    [SuppressMessage("ApiDesign", "RS0030", Justification = "That is the fault.")]
    static string Exit()
    {
        Environment.Exit(3);
        return "never";
    }

    static int Overflow(int depth) => depth == int.MaxValue ? 0 : Overflow(depth + 1) + depth;

    static string Spin()
    {
        Note("spinning", $"{Environment.ProcessId}");
        while (true)
        {
        }
    }

    static async Task<string> Wait(CancellationToken cancellation)
    {
        Note("waiting", $"{Environment.ProcessId}");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        }
        catch (OperationCanceledException)
        {
            Note("cancelled", $"{Environment.ProcessId}");
            throw;
        }

        return "never";
    }

    static async Task Half(HttpContext context)
    {
        await context.Response.WriteAsync("half ");
        await WaitFor("die", context.RequestAborted);
        Exit();
    }

    static async Task HalfThrow(HttpContext context)
    {
        await context.Response.WriteAsync("half ");
        await WaitFor("die", context.RequestAborted);
        throw new InvalidOperationException("broken");
    }
}
