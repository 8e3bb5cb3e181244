using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace Skein;

/// <summary>
/// A line for each request, in the combined format of Apache httpd and nginx with the time it took, in seconds, at the end. All workers append
/// to one file, whole lines at a time; a new worker opens it anew, so a reload follows a log that was rotated.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class AccessLog : IAsyncDisposable
{
    const int Waiting = 10_000;

    readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(Waiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    readonly AppendedFile _file;
    readonly Task _writing;

    /// <exception cref="LinuxException">The file cannot be opened, or made.</exception>
    public AccessLog(string file)
    {
        _file = new(file);
        _writing = Task.Run(WriteAsync);
    }

    /// <exception cref="ServeException">This file could not be written: the message says why.</exception>
    public static void Check(string file)
    {
        if (AppendedFile.Obstacle(file) is { } obstacle)
            throw new ServeException($"the access log '{file}' cannot be written: {obstacle}.");
    }

    public void Add(HttpContext context, int status, TimeSpan duration)
    {
        var request = context.Request;
        _lines.Writer.TryWrite(string.Create(
            CultureInfo.InvariantCulture,
            $"{context.Connection.RemoteIpAddress?.ToString() ?? "-"} - {Safe(context.User.Identity?.Name)} [{Time(TimeProvider.System.GetLocalNow())}] \"{Safe(request.Method)} {Safe(request.PathBase + request.Path + request.QueryString)} {request.Protocol}\" {status} {context.Response.ContentLength?.ToString(CultureInfo.InvariantCulture) ?? "-"} \"{Safe(request.Headers.Referer)}\" \"{Safe(request.Headers.UserAgent)}\" {duration.TotalSeconds:0.000000}\n"));
    }

    /// <summary>Writes what waits, and no more.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
        _file.Dispose();
    }

    // As strftime has it: the difference to UTC without a colon.
    static string Time(DateTimeOffset now) =>
        string.Create(CultureInfo.InvariantCulture, $"{now:dd/MMM/yyyy:HH:mm:ss} {(now.Offset < TimeSpan.Zero ? '-' : '+')}{now.Offset:hhmm}");

    // A client must not be able to write lines of its own.
    static string Safe(string? text) =>
        string.IsNullOrEmpty(text) ? "-" : string.Concat(text.Select(c => char.IsControl(c) ? '?' : c is '"' ? '\'' : c));

    async Task WriteAsync()
    {
        var batch = new StringBuilder();
        while (await _lines.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Length < 32 * 1024 && _lines.Reader.TryRead(out var line))
                batch.Append(line);
            try
            {
                _file.Write(Encoding.UTF8.GetBytes(batch.ToString()));
            }
            catch (IOException)
            {
                // The disk is full: requests are served all the same.
            }

            batch.Clear();
        }
    }
}
