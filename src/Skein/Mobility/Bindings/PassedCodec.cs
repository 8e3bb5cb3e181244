using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>Live sockets and open files, as the place where the next process can ask for them.</summary>
sealed class PassedCodec<T> : ValueCodec<T>
{
    enum Kind : byte
    {
        Null,
        Socket,
        ClosedSocket,
        File,
    }

    public override void Write(GraphWriter writer, ref T value)
    {
        if (value is null)
        {
            writer.WriteByte((byte)Kind.Null);
            return;
        }
        if (!OperatingSystem.IsLinux())
            throw new Refusal(value, value.GetType(), $"{SourceNames.Of(value.GetType())} can be passed from process to process on Linux only");
        if (value is Socket socket)
            Write(writer, socket);
        else if (value is FileStream stream)
            Write(writer, stream);
    }

    [SupportedOSPlatform("linux")]
    static void Write(GraphWriter writer, Socket socket)
    {
        var image = Require(writer, socket);
        if (socket.SafeHandle.IsClosed)
        {
            writer.WriteByte((byte)Kind.ClosedSocket);
            return;
        }
        writer.WriteByte((byte)Kind.Socket);
        Offer(writer, image, socket.SafeHandle);
        if (image.Sockets is null)
        {
            var sockets = image.Sockets = [];
            image.WhenLeft(() => LetGo(sockets));
        }
        image.Sockets.Add(socket);
    }

    [SupportedOSPlatform("linux")]
    static void Write(GraphWriter writer, FileStream stream)
    {
        var image = Require(writer, stream);
        if (stream.SafeFileHandle.IsClosed || !stream.CanSeek)
            throw new Refusal(stream, typeof(FileStream), $"{stream.Name} is closed, or no file (a pipe, a terminal)");
        stream.Flush();
        writer.WriteByte((byte)Kind.File);
        writer.WriteByte((byte)((stream.CanRead ? FileAccess.Read : 0) | (stream.CanWrite ? FileAccess.Write : 0)));
        writer.WriteNumber((ulong)stream.Position);
        Offer(writer, image, stream.SafeFileHandle);
        image.WhenLeft(stream.Dispose);
    }

    static ImageWriting Require(GraphWriter writer, object value)
    {
        var image = ImageWriting.Of(writer, value);
        return image.IsHandedOver ? image : throw new Refusal(value, value.GetType(),
            $"{SourceNames.Of(value.GetType())} is open, and ends with its process: it goes from one that runs to the next, and into no checkpoint, nor with a process that has stored one. Mark it [Transient] to leave it");
    }

    [SupportedOSPlatform("linux")]
    static void Offer(GraphWriter writer, ImageWriting image, System.Runtime.InteropServices.SafeHandle handle)
    {
        var (office, ticket) = PassedDescriptors.Offer((int)handle.DangerousGetHandle());
        image.WhenOver(() => PassedDescriptors.Withdraw(ticket));
        writer.WriteRaw(ref office);
        writer.WriteRaw(ref ticket);
    }

    public override void Read(GraphReader reader, ref T value)
    {
        var kind = (Kind)reader.ReadByte();
        if (kind == Kind.Null)
            return;
        var image = ImageReading.Of(reader);
        if (!OperatingSystem.IsLinux())
            throw new CannotArriveException($"Node {image.Node.Name} does not run on Linux: no open file or socket can be passed to it.");
        object made = kind switch
        {
            Kind.Socket => ReadSocket(reader, image),
            Kind.ClosedSocket => Closed(),
            Kind.File => ReadFile(reader, image),
            _ => throw GraphReader.Bad("an unknown kind of open file"),
        };
        value = made is T fitting ? fitting : throw GraphReader.Bad($"a {made.GetType()} in a field for a {typeof(T)}");
    }

    [SupportedOSPlatform("linux")]
    static Socket ReadSocket(GraphReader reader, ImageReading image)
    {
        var handle = new SafeSocketHandle(Take(reader, image), ownsHandle: true);
        try
        {
            var socket = new Socket(handle);
            image.Made(socket);
            return socket;
        }
        catch (SocketException e)
        {
            handle.Dispose();
            throw GraphReader.Bad($"a socket that is none ({e.Message})");
        }
    }

    [SupportedOSPlatform("linux")]
    static FileStream ReadFile(GraphReader reader, ImageReading image)
    {
        var access = (FileAccess)reader.ReadByte();
        var position = reader.ReadNumber();
        if (access is < FileAccess.Read or > FileAccess.ReadWrite || position > long.MaxValue)
            throw GraphReader.Bad("a file that is open in an unknown way");
        var handle = new SafeFileHandle(Take(reader, image), ownsHandle: true);
        try
        {
            var stream = new FileStream(handle, access) { Position = (long)position };
            image.Made(stream);
            return stream;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException or NotSupportedException)
        {
            handle.Dispose();
            throw GraphReader.Bad($"a file that is open in another way ({e.Message})");
        }
    }

    static Socket Closed()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Dispose();
        return socket;
    }

    [SupportedOSPlatform("linux")]
    static int Take(GraphReader reader, ImageReading image)
    {
        Guid office = default, ticket = default;
        reader.ReadRaw(ref office);
        reader.ReadRaw(ref ticket);
        try
        {
            return PassedDescriptors.Take(office, ticket);
        }
        catch (Exception e) when (e is LinuxException or CannotArriveException)
        {
            throw new CannotArriveException($"An open file or socket cannot be passed to node {image.Node.Name}, which is to be an operating-system process of the same machine and user: {e.Message}", e);
        }
    }

    /// <summary>The sockets are another process's now: closed here, they stay open there.</summary>
    [SupportedOSPlatform("linux")]
    static void LetGo(IReadOnlyCollection<Socket> sockets)
    {
        Epoll.Forget([.. sockets.Where(static socket => !socket.SafeHandle.IsClosed).Select(static socket => (int)socket.SafeHandle.DangerousGetHandle())]);
        foreach (var socket in sockets)
            socket.Dispose();
    }
}
