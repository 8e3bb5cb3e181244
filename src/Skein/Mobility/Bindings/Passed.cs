using System.Net.Sockets;

namespace Skein;

/// <summary>
/// For a field that holds a <see cref="Socket"/> or a <see cref="FileStream"/> which goes with the process as it is, open: a connection, a socket that
/// listens, a file, also one without a name. Its other end does not notice. It goes to operating-system processes of the same machine and user;
/// another node refuses the process, which goes on where it was.
/// <code>
/// sealed class Session(Socket client)
/// {
///     [Passed] readonly Socket _client = client;
/// }
/// </code>
/// What stands unread in a socket is read at the next node; bytes that were read before are the process's own. Nothing may be under way with it while the
/// process moves: receive by <c>Here.Restartable(token => …)</c>, which is stopped here and started again there. It cannot be
/// stored: it ends with its node. For a local, see <see cref="Passed{T}"/>.
/// </summary>
public sealed class PassedAttribute : BindingAttribute
{
    internal override Type Codec(Type field) =>
        (field == typeof(Socket) || field == typeof(FileStream) ? typeof(PassedCodec<>) : typeof(UnboundCodec<>)).MakeGenericType(field);
}

/// <summary>A live socket or an open file that goes with the process, in a local: what <see cref="PassedAttribute"/> is for fields.</summary>
public sealed class Passed<T> where T : class
{
    [Passed] readonly T _value;

    internal Passed(T value) => _value = value;

    /// <summary>As this node has it: another object after a move, for the same connection or file.</summary>
    public T Value => _value;
}

/// <summary>Makes a <see cref="Passed{T}"/>.</summary>
public static class Passed
{
    /// <summary>A connection, or a socket that listens.</summary>
    public static Passed<Socket> Of(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return new(socket);
    }

    /// <summary>An open file.</summary>
    public static Passed<FileStream> Of(FileStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new(stream);
    }
}
