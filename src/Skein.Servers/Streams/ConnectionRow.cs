using System.Globalization;
using System.Net;

namespace Skein;

/// <summary>A <see cref="ConnectionStatus"/> as a line of text, from worker to server.</summary>
static class ConnectionRow
{
    public static string Write(ConnectionStatus row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Id}\t{row.RemoteEndPoint as IPEndPoint}\t{row.State}\t{row.Age.Ticks}\t{row.BytesReceived}\t{row.BytesSent}\t{row.Turns}\t{row.LongestTurn.Ticks}");

    /// <exception cref="InvalidDataException">It is none.</exception>
    public static ConnectionStatus Read(string line) => line.Split('\t') is [var id, var remote, var state, var age, var received, var sent, var turns, var longest]
        ? new(id, remote.Length == 0 ? null : IPEndPoint.Parse(remote), Enum.Parse<ConnectionState>(state), Thread: null, new(Number(age)), Number(received), Number(sent), (int)Number(turns), new(Number(longest)))
        : throw new InvalidDataException($"'{line}' describes no connection.");

    static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
