using System.Buffers.Binary;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The super-server's connection to one worker. It sends accepted connections, each as a message of a number and the client's address with
/// the descriptor; the worker answers with the number when the connection has ended.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class HandlerLink(DescriptorSocket socket, int process)
{
    public const int NumberSize = sizeof(ulong), AddressSize = 16 + 2;

    /// <summary>Numbers of no connection: the descriptor is a pipe for the sessions of the worker, or for those of the worker whose place it takes.</summary>
    public const ulong GivesSessions = ulong.MaxValue, TakesSessions = ulong.MaxValue - 1;

    readonly Dictionary<ulong, HandlerInstance> _served = [];
    int _process = ProcessDescriptor.Open(process);   // as long as it is alive: later the number may be another's
    ulong _numbers;

    /// <summary>Where it is watched.</summary>
    public ulong Token { get; set; }

    public int ProcessId { get; } = process;

    public int SocketDescriptor => socket.Descriptor;

    public int Count => _served.Count;

    public HandlerInstance? TryServe(int connection, Source source, Action<HandlerInstance> ended)
    {
        var instance = new HandlerInstance(source, ended) { Link = this, Number = ++_numbers };
        Span<byte> message = stackalloc byte[NumberSize + AddressSize];
        BinaryPrimitives.WriteUInt64LittleEndian(message, instance.Number);
        var length = NumberSize;
        if (source.Address is { } address)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(message[NumberSize..], (ushort)source.Port);
            address.TryWriteBytes(message[(NumberSize + 2)..], out var written);
            length += 2 + written;
        }

        try
        {
            socket.Send(message[..length], connection);
        }
        catch (LinuxException)
        {
            return null;   // the worker has just ended: the end of file says so
        }

        _served.Add(instance.Number, instance);
        return instance;
    }

    /// <summary>Has the worker write its sessions into a pipe, or go on with those that come out of one.</summary>
    public void PassSessions(ulong number, int pipe)
    {
        Span<byte> message = stackalloc byte[NumberSize];
        BinaryPrimitives.WriteUInt64LittleEndian(message, number);
        try
        {
            socket.Send(message, pipe);
        }
        catch (LinuxException)
        {
            // The worker has just ended, and its sessions with it.
        }
    }

    /// <summary>Receives what the worker has to say; false: it has ended.</summary>
    public bool Receive()
    {
        Span<byte> message = stackalloc byte[64 * NumberSize];
        var length = socket.Receive(message, out _);
        for (var at = 0; at + NumberSize <= length; at += NumberSize)
        {
            if (_served.Remove(BinaryPrimitives.ReadUInt64LittleEndian(message[at..]), out var instance))
                instance.End();
        }

        return length > 0;
    }

    /// <summary>All it served has ended with it.</summary>
    public void Close()
    {
        socket.Dispose();
        Descriptor.Close(ref _process);
        foreach (var instance in _served.Values)
            instance.End();
        _served.Clear();
    }

    /// <summary>Kills the worker: a handler that does not listen cannot be ended otherwise.</summary>
    public void Kill() => ProcessDescriptor.Signal(_process, ProcessDescriptor.SIGKILL);
}
