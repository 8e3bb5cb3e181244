using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Skein;

/// <summary>The simple protocols of <see cref="BuiltInService"/>, over connections and over datagrams.</summary>
static class BuiltInProtocol
{
    const int LineLength = 72, FirstPrintable = ' ', Printables = 95;

    /// <summary>The seconds between 1900, where RFC 868 begins to count, and 1970.</summary>
    const long From1900To1970 = 2_208_988_800;

    public static async Task ServeAsync(BuiltInService service, ConnectionContext connection)
    {
        var (input, output) = (connection.Transport.Input, connection.Transport.Output);
        switch (service)
        {
            case BuiltInService.Echo:
                await input.CopyToAsync(output).ConfigureAwait(false);
                break;
            case BuiltInService.Discard:
                await DiscardAsync(input).ConfigureAwait(false);
                break;
            case BuiltInService.Chargen:
                await GenerateAsync(output, connection.ConnectionClosed).ConfigureAwait(false);
                break;
            default:
                await output.WriteAsync(Answer(service, default)).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>The datagram that answers one; empty: none does.</summary>
    public static byte[] Answer(BuiltInService service, ReadOnlySpan<byte> asked)
    {
        var now = TimeProvider.System.GetUtcNow();
        switch (service)
        {
            case BuiltInService.Echo:
                return asked.ToArray();
            case BuiltInService.Chargen:
                return Line(now.Second);
            case BuiltInService.Daytime:
                return Encoding.ASCII.GetBytes(TimeProvider.System.GetLocalNow().ToString("ddd MMM d HH:mm:ss yyyy\r\n", CultureInfo.InvariantCulture));
            case BuiltInService.Time:
                var time = new byte[4];
                BinaryPrimitives.WriteUInt32BigEndian(time, (uint)(now.ToUnixTimeSeconds() + From1900To1970));
                return time;
            default:
                return [];
        }
    }

    /// <summary>
    /// Who answers another server's answer answers for ever: a sender that claims to be a simple service (or any of the system's ports)
    /// gets none.
    /// </summary>
    public static bool MayAnswer(int port) => port >= 1024;

    static async Task DiscardAsync(PipeReader input)
    {
        ReadResult read;
        do
        {
            read = await input.ReadAsync().ConfigureAwait(false);
            input.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);
    }

    static async Task GenerateAsync(PipeWriter output, CancellationToken gone)
    {
        for (var number = 0; !gone.IsCancellationRequested; number++)
        {
            var flushed = await output.WriteAsync(Line(number), gone).ConfigureAwait(false);
            if (flushed.IsCompleted)
                return;
        }
    }

    static byte[] Line(int number)
    {
        var line = new byte[LineLength + 2];
        for (var i = 0; i < LineLength; i++)
            line[i] = (byte)(FirstPrintable + (number + i) % Printables);
        "\r\n"u8.CopyTo(line.AsSpan(LineLength));
        return line;
    }
}
