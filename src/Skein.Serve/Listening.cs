using System.Globalization;

namespace Skein.Serve;

/// <summary>The sockets of a server: those that its starter hands over, or those that it opens.</summary>
static class Listening
{
    const int FirstHandedOver = 3;

    /// <exception cref="ServeException">One cannot be opened, or an https address has no certificate.</exception>
    public static List<ListeningSocket> Open(Settings settings)
    {
        var sockets = new List<ListeningSocket>();
        try
        {
            if (settings["certificate"] is { } certificate)
                _ = new CertificateFile(certificate, settings["certificate-key"], TimeProvider.System);
            var scheme = settings["certificate"] is null ? "http" : "https";
            for (var i = 0; i < HandedOver; i++)
                sockets.Add(ListeningSocket.Inherit(FirstHandedOver + i, scheme));
            foreach (var address in Addresses(settings, sockets.Count > 0).SelectMany(ListenAddress.Parse))
                sockets.Add(ListeningSocket.Open(address));
            return sockets.Find(socket => socket.Address.Scheme == "https") is { } secure && settings["certificate"] is null
                ? throw new ServeException($"{secure.Address} needs a certificate: --certificate FILE.")
                : sockets;
        }
        catch
        {
            sockets.ForEach(socket => socket.Dispose());
            throw;
        }
    }

    /// <summary>By sd_listen_fds(3).</summary>
    static int HandedOver =>
        Environment.GetEnvironmentVariable("LISTEN_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
        && int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;

    static IEnumerable<string> Addresses(Settings settings, bool isHandedOver) =>
        settings.Values["listen"].Any() ? settings.Values["listen"]
        : isHandedOver ? []
        : (Environment.GetEnvironmentVariable("ASPNETCORE_URLS") ?? "http://localhost:5000").Split(';', StringSplitOptions.RemoveEmptyEntries);
}
