using System.Globalization;
using System.Net.Sockets;

namespace Skein.Serve;

/// <summary>The sockets of a server: those that its starter hands over, or those that it opens.</summary>
static class Listening
{
    const int FirstHandedOver = 3;

    /// <returns>Those of the application, and the one for health and metrics, where that is asked for.</returns>
    /// <exception cref="ServeException">One cannot be opened, or an https address has no certificate.</exception>
    public static (List<ListeningSocket> Sockets, ListeningSocket? Admin) Open(Settings settings) => Open(settings, ListeningSocket.OpenAll);

    /// <summary>Tries them all and closes them again. One that is in use may be so by the very server whose new configuration is checked.</summary>
    /// <inheritdoc cref="Open(Settings)"/>
    public static void Check(Settings settings)
    {
        var (sockets, admin) = Open(settings, text =>
        {
            try
            {
                return ListeningSocket.OpenAll(text);
            }
            catch (ServeException error) when (error.InnerException is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
            {
                return [];
            }
        });
        sockets.ForEach(socket => socket.Dispose());
        admin?.Dispose();
    }

    static (List<ListeningSocket> Sockets, ListeningSocket? Admin) Open(Settings settings, Func<string, IReadOnlyList<ListeningSocket>> open)
    {
        var sockets = new List<ListeningSocket>();
        try
        {
            if (settings["certificate"] is { } certificate)
                _ = new CertificateFile(certificate, settings["certificate-key"], TimeProvider.System);
            var scheme = settings["certificate"] is null ? "http" : "https";
            for (var i = 0; i < HandedOver; i++)
                sockets.Add(ListeningSocket.Inherit(FirstHandedOver + i, scheme));
            var addresses = Addresses(settings, sockets.Count > 0).ToList();
            if (settings["certificate"] is null && addresses.SelectMany(ListenAddress.Parse).FirstOrDefault(address => address.Scheme == "https") is { } secure)
                throw new ServeException($"{secure} needs a certificate: --certificate FILE.");
            var admin = settings["admin"] is { } url ? Admin(url) : null;
            RefuseTwice([.. addresses.SelectMany(ListenAddress.Parse), .. admin is null ? (ListenAddress[])[] : [admin]]);
            foreach (var address in addresses)
                sockets.AddRange(open(address));
            return (sockets, admin is not null && open(admin.ToString()) is [var only, ..] ? only : null);
        }
        catch
        {
            sockets.ForEach(socket => socket.Dispose());
            throw;
        }
    }

    static ListenAddress Admin(string url) =>
        ListenAddress.Parse(url) is [{ Scheme: "http" } address, ..] ? address : throw new ServeException($"--admin takes an http address; '{url}' is none.");

    static void RefuseTwice(ListenAddress[] addresses)
    {
        for (var i = 1; i < addresses.Length; i++)
        {
            if (Array.Find(addresses[..i], addresses[i].Overlaps) is { } other)
                throw new ServeException($"{addresses[i]} is asked for twice{(addresses[i] == other ? "" : $" (beside {other})")}: each --listen, and --admin, needs an address of its own.");
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
