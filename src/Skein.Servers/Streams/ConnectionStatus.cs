using System.Net;

namespace Skein;

/// <summary>A row of a server's table: one connection, as it is now.</summary>
/// <param name="Id">The connection's id, as its handler sees it.</param>
/// <param name="RemoteEndPoint">Where the client is; null where clients have no address.</param>
/// <param name="State">What it does.</param>
/// <param name="Thread">The server's thread that runs its handler; null while it waits for one, and on an event loop.</param>
/// <param name="Age">How long ago it was accepted.</param>
/// <param name="BytesReceived">What the client has sent, in bytes, encryption included.</param>
/// <param name="BytesSent">What the client was sent.</param>
/// <param name="Turns">How often it has got the thread: for its first step, and for each that follows an await.</param>
/// <param name="LongestTurn">The longest it kept the thread without an await; on an event loop all others waited as long.</param>
public sealed record ConnectionStatus(
    string Id,
    EndPoint? RemoteEndPoint,
    ConnectionState State,
    int? Thread,
    TimeSpan Age,
    long BytesReceived,
    long BytesSent,
    int Turns,
    TimeSpan LongestTurn);
