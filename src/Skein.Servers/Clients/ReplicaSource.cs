using Microsoft.Extensions.Configuration;

namespace Skein;

/// <summary>Knows where a service's replicas are, now: a list, a section of the configuration, a name of the DNS, a watched file.</summary>
public abstract class ReplicaSource : IDisposable
{
    IReadOnlyList<Uri> _current = [];

    private protected ReplicaSource() { }

    /// <summary>The replicas' addresses, as <c>http://10.0.0.7:8080</c>.</summary>
    public IReadOnlyList<Uri> Current
    {
        get => Volatile.Read(ref _current);
        private protected set
        {
            if (value.Count > 0)   // an empty list is one that is just being written, or was written by mistake: the last good one stays
                Volatile.Write(ref _current, value);
        }
    }

    /// <summary>Why there are none, if there are none.</summary>
    private protected virtual (string Reason, Exception? Cause) Nothing => ("its list is empty", null);

    /// <summary>What a client gets as long as there are no replicas: the place that lacks them, and why.</summary>
    internal HttpRequestException NoReplicas(string? service)
    {
        var (reason, cause) = Nothing;
        return new(cause is null ? HttpRequestError.Unknown : HttpRequestError.NameResolutionError, $"{service} has no replicas: {reason}.", cause);
    }

    /// <summary>What clients call the service, where the addresses are only numbers: TLS and virtual hosts want it.</summary>
    internal virtual string? HostName => null;

    /// <summary>Replicas that stay where they are.</summary>
    public static ReplicaSource List(params IEnumerable<Uri> replicas) => new ListedReplicas(Checked(replicas));

    /// <summary>The values below a section of the configuration, as it is from time to time.</summary>
    public static ReplicaSource Configuration(IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return new ConfiguredReplicas(section);
    }

    /// <summary>A replica at each address that a name has, asked for again and again.</summary>
    /// <param name="service">Scheme, name and port: <c>https://shop.internal:8443</c>.</param>
    /// <param name="period">How often it is asked: every 10 s by default.</param>
    /// <param name="time">The clock.</param>
    public static ReplicaSource Dns(Uri service, TimeSpan? period = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(service);
        return new NamedReplicas(service, period ?? TimeSpan.FromSeconds(10), time ?? TimeProvider.System);
    }

    /// <summary>One address a line; blank lines and what follows a # do not count. The file is read again when it changes.</summary>
    /// <param name="path">The file, which may be replaced or be a symbolic link. Where it is gone, empty, or holds what is no address, the last good list stays.</param>
    /// <param name="period">How often it is looked at: every 0.5 s by default.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">It cannot be read the first time.</exception>
    /// <exception cref="FormatException">It holds what is no address the first time; the message names the line.</exception>
    public static ReplicaSource File(string path, TimeSpan? period = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FiledReplicas(path, period ?? TimeSpan.FromSeconds(0.5), time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    private protected virtual void Dispose(bool disposing)
    {
    }

    private protected static Uri[] Checked(IEnumerable<Uri> replicas)
    {
        Uri[] all = [.. replicas.Distinct()];
        foreach (var replica in all)
        {
            if (!IsAddress(replica))
                throw new FormatException($"'{replica}' is no address of a replica: write it as http://10.0.0.7:8080.");
        }

        return all;
    }

    sealed class ListedReplicas : ReplicaSource
    {
        public ListedReplicas(Uri[] replicas) => Current = replicas;
    }

    sealed class ConfiguredReplicas : ReplicaSource
    {
        readonly IConfigurationSection _section;
        readonly IDisposable _changes;

        public ConfiguredReplicas(IConfigurationSection section)
        {
            _section = section;
            Current = Read();
            _changes = Microsoft.Extensions.Primitives.ChangeToken.OnChange(section.GetReloadToken, Reload);
        }

        private protected override (string, Exception?) Nothing => ($"its section {_section.Path} of the configuration is empty", null);

        private protected override void Dispose(bool disposing)
        {
            _changes.Dispose();
            base.Dispose(disposing);
        }

        Uri[] Read() => Checked(_section.GetChildren().Select(child => Address(child.Value ?? "", child.Path)));

        void Reload()
        {
            try
            {
                Current = Read();
            }
            catch (FormatException)
            {
                // The last good list stays.
            }
        }
    }

    sealed class NamedReplicas : ReplicaSource
    {
        readonly Uri _service;
        readonly ITimer _timer;
        volatile Exception? _failure;

        public NamedReplicas(Uri service, TimeSpan period, TimeProvider time)
        {
            _service = Checked([service])[0];
            Ask();
            _timer = time.CreateTimer(static replicas => ((NamedReplicas)replicas!).Ask(), this, period, period);
        }

        private protected override (string, Exception?) Nothing => ($"no address is known of {_service.Host}{(_failure is { } failure ? $" ({failure.Message})" : "")}", _failure);

        internal override string? HostName => _service.Authority;

        private protected override void Dispose(bool disposing)
        {
            _timer.Dispose();
            base.Dispose(disposing);
        }

        void Ask()
        {
            try
            {
                Current = [.. System.Net.Dns.GetHostAddresses(_service.Host).Select(address => new UriBuilder(_service) { Host = address.ToString() }.Uri)];
            }
            catch (System.Net.Sockets.SocketException error)
            {
                _failure = error;   // no answer now: the last good list stays
            }
        }
    }

    sealed class FiledReplicas : ReplicaSource
    {
        readonly string _path;
        readonly ITimer _timer;
        string _text;

        public FiledReplicas(string path, TimeSpan period, TimeProvider time)
        {
            _path = path;
            _text = System.IO.File.ReadAllText(path);
            Current = Read(_text);
            _timer = time.CreateTimer(static replicas => ((FiledReplicas)replicas!).Look(), this, period, period);
        }

        private protected override void Dispose(bool disposing)
        {
            _timer.Dispose();
            base.Dispose(disposing);
        }

        void Look()
        {
            try
            {
                var text = System.IO.File.ReadAllText(_path);
                if (text == _text)
                    return;
                _text = text;
                Current = Read(text);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
            {
                // In the middle of being replaced, or wrong: the last good list stays.
            }
        }

        private protected override (string, Exception?) Nothing => ($"its list {_path} is empty", null);

        Uri[] Read(string text) => Checked(text.Split('\n')
            .Select((line, number) => (Text: line.Split('#')[0].Trim(), Place: $"{_path}:{number + 1}"))
            .Where(line => line.Text.Length > 0)
            .Select(line => Address(line.Text, line.Place)));
    }

    static bool IsAddress(Uri uri) => uri is { IsAbsoluteUri: true, Scheme: "http" or "https", Query: "", Fragment: "" };

    static Uri Address(string text, string place) => Uri.TryCreate(text, UriKind.Absolute, out var address) && IsAddress(address)
        ? address
        : throw new FormatException($"{place}: '{text}' is no address of a replica: write it as http://10.0.0.7:8080.");
}
