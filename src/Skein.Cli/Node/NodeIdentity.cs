using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace Skein.Cli;

/// <summary>
/// What a node shows to those of other machines: kept in <c>$SKEIN_HOME/cluster</c>, else <c>$XDG_DATA_HOME/skein/cluster</c>, else
/// <c>~/.local/share/skein/cluster</c>, which nobody else may enter. The first node that listens makes the cluster's authority.
/// </summary>
static class NodeIdentity
{
    const string AddressFile = "address";

    public static async Task<(ClusterIdentity? Identity, ClusterAuthority? Authority, IReadOnlyList<IPEndPoint> Peers)> TakeAsync(NodeRequest request)
    {
        var own = Path.Combine(DataFolder.Of("cluster"), request.Name);
        if (request.Join is { } token)
            return await JoinAsync(token, request.Name, own).ConfigureAwait(false);
        if (request.Listen is not null)
        {
            var authority = Authority();
            return (authority.Issue(request.Name), authority, []);
        }
        if (!Directory.Exists(own))
            return (null, null, []);
        try
        {
            return (ClusterIdentity.Open(own), null, [IPEndPoint.Parse(await File.ReadAllTextAsync(Path.Combine(own, AddressFile)).ConfigureAwait(false))]);
        }
        catch (Exception error) when (error is IOException or CryptographicException or FormatException)
        {
            throw new CommandFailure(ExitCode.Configuration, $"what {own} has of node {request.Name} cannot be used: {error.Message} Remove it, and join again (--join).");
        }
    }

    static async Task<(ClusterIdentity, ClusterAuthority?, IReadOnlyList<IPEndPoint>)> JoinAsync(string token, string name, string folder)
    {
        try
        {
            var address = ClusterIdentity.AddressIn(token);
            var identity = await ClusterIdentity.JoinAsync(token, name).ConfigureAwait(false);
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            identity.Save(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, AddressFile), address.ToString()).ConfigureAwait(false);
            return (identity, null, [address]);
        }
        catch (FormatException error)
        {
            throw CommandFailure.Usage($"--join: {error.Message}");
        }
        catch (Exception error) when (error is IOException or AuthenticationException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Unavailable, error.Message);
        }
    }

    static ClusterAuthority Authority()
    {
        var folder = Path.Combine(DataFolder.Of("cluster"), "authority");
        if (Directory.Exists(folder))
            return ClusterAuthority.Open(folder);
        var authority = ClusterAuthority.Create();
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        authority.Save(folder);
        return authority;
    }
}
