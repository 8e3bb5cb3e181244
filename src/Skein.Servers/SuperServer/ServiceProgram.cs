using System.Globalization;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>The program of a service, as far as it is the same at every start.</summary>
[SupportedOSPlatform("linux")]
sealed class ServiceProgram
{
    const int FirstPassed = 3;

    /// <summary>What a program finds of the super-server's own environment: a daemon's other variables are none of a service's business.</summary>
    static readonly string[] Inherited = ["LANG", "LC_ALL", "TZ"];

    readonly Service _service;
    readonly UserAccount? _user;
    readonly KeyValuePair<string, string>[] _environment;
    readonly ResourceLimit[] _limits;
    readonly CgroupLimits? _group;
    string? _path;

    /// <exception cref="ArgumentException">There is no such user or group, or this process may not become that.</exception>
    public ServiceProgram(Service service)
    {
        _service = service;
        _user = UserOf(service);
        _environment = [.. EnvironmentOf(service, _user)];
        var limits = service.Limits;
        _limits = limits.ProcessorTime is { } time ? [new(LimitedResource.ProcessorSeconds, (long)Math.Ceiling(time.TotalSeconds))] : [];
        _group = limits.Memory is null && limits.Processors is null && limits.Processes is null
            ? null
            : new() { Memory = limits.Memory, Processors = limits.Processors, Processes = limits.Processes };
    }

    /// <summary>Starts it with a connection as its standard input and output. The connection stays open here.</summary>
    /// <exception cref="IOException">It cannot be started; as are FileNotFoundException and UnauthorizedAccessException.</exception>
    public ChildProcess Serve(int connection, Source source) => Start(
        new(Find(), _service.Arguments)
        {
            Environment = source.Address is null ? _environment :
            [
                .. _environment,
                new("REMOTE_ADDR", source.Address.ToString()),
                new("REMOTE_PORT", source.Port.ToString(CultureInfo.InvariantCulture)),
            ],
            Descriptors = Standard(connection),
        });

    /// <summary>Starts it with the socket that listens. Its own number is for sd_listen_fds(3), which takes no others' descriptors.</summary>
    public ChildProcess HandOver(int socket, string? notify) => Start(
        new(Find(), _service.Arguments)
        {
            Environment =
            [
                .. _environment,
                new("LISTEN_FDS", "1"),
                new("LISTEN_FDNAMES", _service.Name.Replace(':', '-')),
                .. notify is null ? Array.Empty<KeyValuePair<string, string>>() : [new("NOTIFY_SOCKET", notify)],
            ],
            NumberVariable = "LISTEN_PID",
            Descriptors = _service.ErrorsToClient ? [.. Standard(socket), (socket, FirstPassed)] : [(socket, 0), (socket, FirstPassed)],
        });

    ChildProcess Start(SpawnRequest request)
    {
        var group = _group is null ? null : Cgroup.TryCreate(_group, out var reason) ?? throw new IOException($"Its limits cannot be held: {reason}");
        try
        {
            return Spawner.StartUnwatched(request with
            {
                Name = _service.ProgramName,
                WorkingDirectory = _service.WorkingDirectory,
                User = _user,
                Limits = _limits,
                Cgroup = group,
            });
        }
        catch
        {
            group?.Dispose();
            throw;
        }
    }

    (int, int)[] Standard(int descriptor) => _service.ErrorsToClient ? [(descriptor, 0), (descriptor, 1), (descriptor, 2)] : [(descriptor, 0), (descriptor, 1)];

    /// <summary>Why it could not be started now; null: nothing is known against it.</summary>
    public static string? WhyMissing(Service service)
    {
        if (service.File is null || (service.WorkingDirectory is { } folder && !Directory.Exists(folder)))
            return null;
        try
        {
            ProgramPath.Find(service.File, service.WorkingDirectory);
            return null;
        }
        catch (Exception error) when (error is FileNotFoundException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    // Again as long as it is not there: it may be installed later.
    string Find() => _path ??= ProgramPath.Find(_service.File!, _service.WorkingDirectory);

    /// <summary>As whom the program is to run; null: as this process.</summary>
    public static UserAccount? UserOf(Service service)
    {
        if (service.User is not { } name)
            return service.Group is null ? null : throw new ArgumentException($"A group ({service.Group}) is given, but no user.");
        UserAccount? account;
        try
        {
            account = UserAccount.Find(name, service.Group);
        }
        catch (KeyNotFoundException error)
        {
            throw new ArgumentException(error.Message);
        }

        if (account is null)
            throw new ArgumentException($"There is no user '{name}'.");
        if (UserAccount.IsRoot)
            return account;
        return account.IsOurs && service.Group is null ? null : throw new ArgumentException($"Only root can start programs as user '{name}'.");
    }

    static Dictionary<string, string> EnvironmentOf(Service service, UserAccount? user)
    {
        var variables = new Dictionary<string, string> { ["PATH"] = System.Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin" };
        foreach (var name in Inherited)
            Add(name, System.Environment.GetEnvironmentVariable(name));
        Add("HOME", user?.Home ?? System.Environment.GetEnvironmentVariable("HOME"));
        Add("USER", user?.Name ?? System.Environment.GetEnvironmentVariable("USER"));
        Add("LOGNAME", user?.Name);
        Add("SHELL", user?.Shell);
        foreach (var (name, value) in service.Environment)
            variables[name] = value;
        return variables;

        void Add(string name, string? value)
        {
            if (value is not null)
                variables[name] = value;
        }
    }
}
