using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>The requests that run on one connection (over HTTP/2 several): TCP urgent data interrupts them.</summary>
[SupportedOSPlatform("linux")]
sealed class UrgentRequests
{
    readonly HashSet<Interruption> _running = [];

    public UrgentRequests(Socket socket, CancellationToken closed)
    {
        var listening = UrgentData.Listen(socket.SafeHandle, InterruptAll);
        closed.UnsafeRegister(static listening => ((UrgentData)listening!).Dispose(), listening);
    }

    public void Add(Interruption interruption)
    {
        lock (_running)
            _running.Add(interruption);
    }

    public void Forget(Interruption interruption)
    {
        lock (_running)
            _running.Remove(interruption);
    }

    void InterruptAll()
    {
        lock (_running)
        {
            foreach (var interruption in _running)
                interruption.Interrupt(InterruptionCause.UrgentData);
        }
    }
}
