using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skein;

/// <summary>What a worker needs to know to serve a handler.</summary>
/// <param name="Address">The name (without a file) of the Unix socket where it gets its connections.</param>
/// <param name="Secret">What proves that it may.</param>
/// <param name="Local">The address of the service, as text.</param>
sealed record HandlerAssignment(Func<ConnectionContext, Task> Handler, string Address, string Secret, string Local, TimeSpan? Idle, TimeSpan? Wall);

/// <summary>The task of a worker of a super-server: it serves connections as long as the super-server has some for it.</summary>
[SupportedOSPlatform("linux")]
static class HandlerWorker
{
    public static async Task ServeAsync(HandlerAssignment assignment)
    {
        using var link = Connect(assignment);
        var local = IPEndPoint.TryParse(assignment.Local, out var address) ? address : (EndPoint)new UnixDomainSocketEndPoint(assignment.Local.Replace('@', '\0'));
        var server = new HandlerServer(local, assignment.Handler, assignment.Idle, assignment.Wall, NullLoggerFactory.Instance);
        var ended = Channel.CreateUnbounded<ulong>(new() { SingleReader = true });
        var telling = TellAsync(link, ended.Reader);
        var sessions = new WorkerSessions(server);
        await Task.Factory.StartNew(() => Receive(link, server, sessions, ended.Writer), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        await server.StopAsync(TimeSpan.Zero).ConfigureAwait(false);   // whoever had the other end knows of nobody here any more
        await sessions.EndAsync().ConfigureAwait(false);
        ended.Writer.Complete();
        await telling.ConfigureAwait(false);
    }

    static DescriptorSocket Connect(HandlerAssignment assignment)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint("\0" + assignment.Address));
        var link = new DescriptorSocket(Descriptor.Duplicate((int)socket.Handle));
        link.Send(Encoding.ASCII.GetBytes(assignment.Secret));
        return link;
    }

    static void Receive(DescriptorSocket link, HandlerServer server, WorkerSessions sessions, ChannelWriter<ulong> ended)
    {
        Span<byte> message = stackalloc byte[HandlerLink.NumberSize + HandlerLink.AddressSize];
        while (link.Receive(message, out var connection) is > 0 and var length)
        {
            var number = BinaryPrimitives.ReadUInt64LittleEndian(message);
            var remote = length <= HandlerLink.NumberSize ? null : new IPEndPoint(
                new IPAddress(message[(HandlerLink.NumberSize + 2)..length]),
                BinaryPrimitives.ReadUInt16LittleEndian(message[HandlerLink.NumberSize..]));
            if (connection >= 0 && number == HandlerLink.GivesSessions)
                sessions.Give(connection);
            else if (connection >= 0 && number == HandlerLink.TakesSessions)
                WorkerSessions.Take(connection);
            else if (connection >= 0)
                server.Adopt(connection, remote, () => ended.TryWrite(number));
            else
                ended.TryWrite(number);   // this process has no descriptors left
        }
    }

    // Several in one message where several have ended: under load that halves what a connection costs.
    static async Task TellAsync(DescriptorSocket link, ChannelReader<ulong> ended)
    {
        var message = new byte[64 * HandlerLink.NumberSize];
        while (await ended.WaitToReadAsync().ConfigureAwait(false))
        {
            var length = 0;
            while (length < message.Length && ended.TryRead(out var number))
            {
                BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(length), number);
                length += HandlerLink.NumberSize;
            }

            try
            {
                link.Send(message.AsSpan(0, length));
            }
            catch (LinuxException)
            {
                return;   // the super-server is gone
            }
        }
    }
}
