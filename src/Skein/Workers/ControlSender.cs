using System.Buffers.Binary;

namespace Skein;

/// <summary>The parent's end of a way by which short messages reach a worker while it is busy.</summary>
abstract class ControlSender
{
    /// <summary>Kind, number, more.</summary>
    public const int Header = 6;

    /// <summary>Whether open descriptors can be sent beside the messages.</summary>
    public abstract bool CarriesDescriptors { get; }

    /// <summary>Sends a short message. A worker that is gone needs none: nothing happens then.</summary>
    public abstract void Send(WorkerFrame kind, int number);

    /// <summary>Sends an open descriptor, which stays open here.</summary>
    public abstract void SendDescriptor(int number, int descriptor);

    /// <summary>Sends the answer to a callback.</summary>
    public abstract void SendAnswer(int request, ReadOnlySpan<byte> answer);

    protected static byte[] Message(WorkerFrame kind, int number, bool more, ReadOnlySpan<byte> rest)
    {
        var message = new byte[Header + rest.Length];
        message[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1), number);
        message[5] = more ? (byte)1 : (byte)0;
        rest.CopyTo(message.AsSpan(Header));
        return message;
    }

    /// <summary>The worker's side: takes a message apart.</summary>
    public static (WorkerFrame Kind, int Number, bool More) Parse(ReadOnlySpan<byte> message) =>
        ((WorkerFrame)message[0], BinaryPrimitives.ReadInt32LittleEndian(message[1..]), message[5] != 0);

    /// <summary>What follows the header.</summary>
    public static ReadOnlySpan<byte> Rest(ReadOnlySpan<byte> message) => message[Header..];
}
