using System.Globalization;

namespace Skein;

/// <summary>What the master tells a worker at its start: lines of NAME=VALUE in an environment variable.</summary>
sealed record ServedSettings
{
    /// <summary>The environment variable.</summary>
    public const string Variable = "SKEIN_SERVED";

    /// <summary>The first descriptors after the standard three.</summary>
    public const int ControlDescriptor = 3, FirstListener = 4;

    /// <summary>The process that is meant: what it starts inherits the variable, and is no worker.</summary>
    public required int Master { get; init; }

    /// <summary>The worker's id.</summary>
    public required string Id { get; init; }

    /// <summary>The server's id, which all its workers share.</summary>
    public required string Server { get; init; }

    /// <summary>Where it listens: the first address by <see cref="FirstListener"/>, and so on.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Who runs the requests; null: whoever the application says.</summary>
    public ServerModel? Model { get; init; }

    /// <summary>The application has asked for its workers itself: the host that did is served, and no other.</summary>
    public bool IsAsked { get; init; }

    /// <summary>How long requests may take to end when it is told to stop.</summary>
    public required TimeSpan Drain { get; init; }

    /// <summary>Where the keys are kept that sign cookies; null: where the application keeps them.</summary>
    public string? Keys { get; init; }

    /// <summary>The file of the certificate for https addresses, and the one of its key.</summary>
    public string? Certificate { get; init; }

    public string? CertificateKey { get; init; }

    /// <summary>The file that gets a line for each request.</summary>
    public string? AccessLog { get; init; }

    /// <summary>Where traces and metrics are sent; see <see cref="TelemetryContext"/>.</summary>
    public string? Collector { get; init; }

    public override string ToString()
    {
        List<string> lines =
        [
            $"master={Master}",
            $"id={Id}",
            $"server={Server}",
            .. Addresses.Select(address => $"address={address}"),
            $"asked={IsAsked}",
            $"drain={Drain.TotalSeconds.ToString(CultureInfo.InvariantCulture)}",
        ];
        foreach (var (name, value) in ((string, string?)[])[("model", Model is { } model ? $"{model.Kind} {model.Threads} {model.Queue}" : null), ("keys", Keys), ("certificate", Certificate), ("certificate-key", CertificateKey), ("access-log", AccessLog), ("collector", Collector)])
        {
            if (value is not null)
                lines.Add($"{name}={value}");
        }

        return string.Join('\n', lines);
    }

    public static ServedSettings Parse(string text)
    {
        var values = text.Split('\n').Select(line => line.Split('=', 2)).ToLookup(line => line[0], line => line[1]);
        return new()
        {
            Master = Number("master"),
            Id = values["id"].First(),
            Server = values["server"].First(),
            Addresses = [.. values["address"]],
            IsAsked = bool.Parse(values["asked"].First()),
            Model = values["model"].FirstOrDefault()?.Split(' ') is [var kind, var threads, var queue] ? ModelOf(Enum.Parse<ServerModelKind>(kind), threads, queue) : null,
            Drain = TimeSpan.FromSeconds(double.Parse(values["drain"].First(), CultureInfo.InvariantCulture)),
            Keys = values["keys"].FirstOrDefault(),
            Certificate = values["certificate"].FirstOrDefault(),
            CertificateKey = values["certificate-key"].FirstOrDefault(),
            AccessLog = values["access-log"].FirstOrDefault(),
            Collector = values["collector"].FirstOrDefault(),
        };

        static ServerModel ModelOf(ServerModelKind kind, string threads, string queue) => kind switch
        {
            ServerModelKind.Iterative => ServerModel.Iterative,
            ServerModelKind.Threaded => ServerModel.Threaded,
            ServerModelKind.EventLoop => ServerModel.EventLoop,
            ServerModelKind.Dispatcher => ServerModel.Dispatcher(int.Parse(threads, CultureInfo.InvariantCulture), int.Parse(queue, CultureInfo.InvariantCulture)),
            _ => throw new ArgumentException($"{kind} is no model of a worker.", nameof(kind)),
        };

        int Number(string name) => int.Parse(values[name].First(), CultureInfo.InvariantCulture);
    }
}
