using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein.Tests.Child;

/// <summary>Offers an open file while it has no descriptor left (the limit is set by whoever starts it); prints what happened, a line each.</summary>
[SupportedOSPlatform("linux")]
static class PassedCase
{
    public static int WithoutDescriptors()
    {
        PoolUnderLimitsCase.AllThreadsOfThePool();
        using var file = File.OpenHandle("/dev/null");
        var (office, ticket) = PassedDescriptors.Offer((int)file.DangerousGetHandle());
        using (var first = Socket())
            first.Connect(At(office));   // what connecting loads is loaded while there are descriptors
        using var asking = Socket();
        var taken = new List<FileStream>();
        try
        {
            while (true)
                taken.Add(File.OpenRead("/dev/null"));
        }
        catch (IOException)
        {
            // None is left.
        }

        asking.Connect(At(office));
        var (spent, started) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        Thread.Sleep(TimeSpan.FromSeconds(1));   // for what would be busy meanwhile
        var share = (Environment.CpuUsage.TotalTime - spent) / Stopwatch.GetElapsedTime(started);
        taken.ForEach(static stream => stream.Dispose());
        asking.Send(ticket.ToByteArray());
        asking.ReceiveTimeout = 20_000;
        var length = asking.Receive(new byte[1]);
        PassedDescriptors.Withdraw(ticket);
        Console.WriteLine(share < 0.3 ? "waited" : $"busy for {share:P0}");
        Console.WriteLine($"answered {length}");
        return 0;
    }

    static Socket Socket() => new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    static UnixDomainSocketEndPoint At(Guid office) => new($"\0skein-passed-{office:N}");
}
