using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Open files and sockets of this operating-system process that are on their way to another one of the same machine and user. An image
/// says where each can be asked for; the kernel passes it (SCM_RIGHTS), and both sides have it until the hand-over is over.
/// </summary>
[SupportedOSPlatform("linux")]
static class PassedDescriptors
{
    /// <summary>On one machine an answer takes a fraction of a millisecond. Who does not answer for so long stands still.</summary>
    const int AnswerLimit = 5_000;

    /// <summary>Looks so often, in milliseconds, whether it is to end, if it was not told.</summary>
    const int LookEvery = 1_000;

    /// <summary>Who asks while no descriptor is left is answered when there is one again; it is looked for so often.</summary>
    static readonly TimeSpan WithoutDescriptors = TimeSpan.FromMilliseconds(50);

    const int TicketSize = 16;

    static readonly Lock Gate = new();
    static readonly Dictionary<Guid, int> Offered = [];
    static int _listener;   // while anything is offered

    /// <summary>Where they are asked for; none while there are none.</summary>
    public static Guid Office { get; private set; }

    /// <summary>Keeps a second descriptor for whoever shows the ticket at the office of this process, as often as he asks.</summary>
    public static (Guid Office, Guid Ticket) Offer(int descriptor)
    {
        var ticket = Guid.NewGuid();
        lock (Gate)
        {
            var own = Descriptor.Duplicate(descriptor);
            try
            {
                if (Office == default)
                    Open();
            }
            catch
            {
                _ = Libc.Close(own);
                throw;
            }
            Offered.Add(ticket, own);
            return (Office, ticket);
        }
    }

    /// <summary>Nobody needs it any more.</summary>
    public static void Withdraw(Guid ticket)
    {
        lock (Gate)
        {
            if (!Offered.Remove(ticket, out var descriptor))
                return;
            _ = Libc.Close(descriptor);
            if (Offered.Count > 0)
                return;
            Office = default;
            SocketCalls.ListenNoMore(_listener);   // its thread closes it
        }
    }

    /// <summary>A descriptor of our own for what another process, or this one, has offered.</summary>
    /// <exception cref="LinuxException">There is no such office on this machine.</exception>
    /// <exception cref="CannotArriveException">It is somebody else's, does not answer, or has no such thing.</exception>
    public static int Take(Guid office, Guid ticket)
    {
        lock (Gate)
        {
            if (office == Office)
                return Offered.TryGetValue(ticket, out var own) ? Descriptor.Duplicate(own) : throw new CannotArriveException("It is not offered any more.");
        }
        using var connection = new DescriptorSocket(SocketCalls.ConnectedLocal(NameOf(office)));
        if (!PeerCredentials.Of(connection.Descriptor).MayControl)
            throw new CannotArriveException("Whoever offers it is another user.");
        connection.Send(ticket.ToByteArray());
        var passed = -1;
        if (SocketCalls.IsReadableWithin(connection.Descriptor, AnswerLimit))
            connection.Receive(stackalloc byte[1], out passed);
        return passed >= 0 ? passed : throw new CannotArriveException("It is not offered any more, or who offers it does not answer.");
    }

    static string NameOf(Guid office) => $"skein-passed-{office:N}";

    static void Open()
    {
        var office = Guid.NewGuid();
        var listener = _listener = SocketCalls.ListenLocal(NameOf(office));
        Office = office;
        new Thread(() => Serve(office, listener)) { IsBackground = true, Name = "skein-passed" }.Start();
    }

    static void Serve(Guid office, int listener)
    {
        while (IsOpen(office))
        {
            if (!SocketCalls.IsReadableWithin(listener, LookEvery))
                continue;
            var accepted = SocketCalls.Accept(listener, 0);
            if (accepted < 0)
            {
                Thread.Sleep(WithoutDescriptors);
                continue;
            }
            using var connection = new DescriptorSocket(accepted);
            try
            {
                Give(connection);
            }
            catch (LinuxException)
            {
                // whoever asked has ended
            }
        }
        _ = Libc.Close(listener);
    }

    static bool IsOpen(Guid office)
    {
        lock (Gate)
            return Office == office;
    }

    static void Give(DescriptorSocket connection)
    {
        Span<byte> ticket = stackalloc byte[TicketSize];
        if (!PeerCredentials.Of(connection.Descriptor).MayControl || !SocketCalls.IsReadableWithin(connection.Descriptor, AnswerLimit) || connection.Receive(ticket, out var unasked) != TicketSize)
            return;
        if (unasked >= 0)
            _ = Libc.Close(unasked);
        lock (Gate)
        {
            if (Offered.TryGetValue(new(ticket), out var descriptor))
                connection.Send([1], descriptor);
        }
    }
}
