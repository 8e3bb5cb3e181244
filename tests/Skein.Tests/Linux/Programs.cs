using System.Runtime.Versioning;
using System.Text;

namespace Skein.Tests;

/// <summary>Real programs for the tests of starting, and what they print.</summary>
[SupportedOSPlatform("linux")]
static class Programs
{
    public static string ChildProgram { get; } = Path.Combine(
        AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child");

    public static SpawnRequest Shell(string script) => new("/bin/sh", ["-c", script]);

    /// <summary>Starts a program, reads what it prints to its end, waits for its exit.</summary>
    public static async Task<(string Output, ExitStatus Status)> Run(SpawnRequest request, double seconds = 10)
    {
        using var output = new OutputPipe();
        ChildProcess child;
        try
        {
            child = Spawner.Start(request with { Descriptors = [.. request.Descriptors, (output.WriteEnd, 1)] });
        }
        finally
        {
            output.CloseWriteEnd();
        }

        using (child)
        {
            var text = await Task.Run(output.ReadToEnd).Within(seconds);
            return (text, await child.Exited.Within());
        }
    }

    public static Task<(string Output, ExitStatus Status)> Run(string script) => Run(Shell(script));
}

/// <summary>A pipe whose write end is for a child.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe class OutputPipe : IDisposable
{
    public int ReadEnd { get; }

    public OutputPipe()
    {
        var ends = stackalloc int[2];
        Libc.Check(Libc.Pipe(ends, Libc.CloseOnExec), "pipe2");
        (ReadEnd, WriteEnd) = (ends[0], ends[1]);
    }

    public int WriteEnd { get; private set; }

    public void CloseWriteEnd()
    {
        if (WriteEnd >= 0)
            _ = Libc.Close(WriteEnd);
        WriteEnd = -1;
    }

    public string ReadToEnd()
    {
        var result = new List<byte>();
        var buffer = stackalloc byte[4096];
        while (Libc.Read(ReadEnd, buffer, 4096) is > 0 and var length)
            result.AddRange(new ReadOnlySpan<byte>(buffer, (int)length));
        return Encoding.UTF8.GetString([.. result]);
    }

    public string ReadLine()
    {
        var result = new List<byte>();
        byte one;
        while (Libc.Read(ReadEnd, &one, 1) > 0 && one != '\n')
            result.Add(one);
        return Encoding.UTF8.GetString([.. result]);
    }

    public void Dispose()
    {
        CloseWriteEnd();
        _ = Libc.Close(ReadEnd);
    }
}
