using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>An application that knows nothing of Skein, served by the real command. Disposing ends it and waits for all its workers.</summary>
sealed partial class ServedApp : IAsyncDisposable
{
    readonly ScratchFolder _folder;

    ServedApp(Started command, ScratchFolder folder) => (Command, _folder) = (command, folder);

    const string Plain = "Skein.Tests.Plain", Web = "Skein.Tests.Web";

    public static string BuiltDll { get; } = Path.Combine(BuiltFolder(Plain), $"{Plain}.dll");

    /// <summary>Its output folder, as it was built.</summary>
    static string BuiltFolder(string application) =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", application, Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory))));

    public Started Command { get; }

    /// <summary>The name by which it is known.</summary>
    public string Id => Path.GetFileName(_folder.Path);

    /// <summary>Where commands must look to find it.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string> { ["SKEIN_HOME"] = _folder["home"] };

    /// <summary>Runs another command to its end, as somebody else on the machine would.</summary>
    public Task<Ended> AskAsync(params string[] words) => SkeinCommand.RunAsync("", words, Environment);

    /// <summary>The command becomes the master.</summary>
    public int Master => Command.Process.Id;

    public Uri Url { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    /// <summary>The link that leads to the release, and the path that the command was given.</summary>
    public string Link => _folder["current"];

    /// <summary>Starts it on a free port, from a folder of its own behind a symbolic link.</summary>
    /// <param name="options">For the command; what stands after -- is for the application.</param>
    public static Task<ServedApp> StartAsync(params string[] options) => StartAsync(Begin(options));

    /// <summary>The same with an application that uses what Skein has for applications.</summary>
    public static Task<ServedApp> StartWebAsync(params string[] options) => StartAsync(Begin([], Web, options));

    static async Task<ServedApp> StartAsync(ServedApp app)
    {
        try
        {
            await app.ServesAsync();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public static ServedApp Begin(params string[] options) => Begin(new Dictionary<string, string>(), options);

    public static ServedApp Begin(Dictionary<string, string> environment, params string[] options) => Begin(environment, Plain, options);

    static ServedApp Begin(Dictionary<string, string> environment, string application, string[] options)
    {
        var folder = new ScratchFolder();
        CopyTo(folder["1"], application);
        File.CreateSymbolicLink(folder["current"], folder["1"]);
        var end = Array.IndexOf(options, "--");
        var own = end < 0 ? options : options[..end];
        string[] words = ["serve", Path.Combine(folder["current"], $"{application}.dll"), "--id", Path.GetFileName(folder.Path), .. own];
        if (!own.Contains("--listen"))
            words = [.. words, "--listen", "http://127.0.0.1:0"];
        environment["SKEIN_HOME"] = folder["home"];
        if (application == Web)
            environment["TMPDIR"] = folder.Path;   // what it leaves there when it is killed goes with the folder
        return new(SkeinCommand.Start([.. words, .. end < 0 ? [] : options[end..]], environment), folder);
    }

    /// <summary>Starts what is named by its sources: a project, its folder, or a file.</summary>
    /// <param name="folder">Where they are; it is removed at the end.</param>
    public static ServedApp BeginSources(ScratchFolder folder, string sources, params string[] options) => new(
        SkeinCommand.Start(
            ["serve", folder[sources], "--id", Path.GetFileName(folder.Path), "--listen", "http://127.0.0.1:0", .. options],
            new Dictionary<string, string> { ["SKEIN_HOME"] = folder["home"] }),
        folder);

    public async Task ServesAsync()
    {
        await Limits.Until(() => Address().IsMatch(Command.Error) || Command.Process.HasExited, () => $"'serves on' from the command, which said: {Command.Error}{Command.Output}", 40);
        Assert.True(Address().IsMatch(Command.Error), $"{Command.Error}{Command.Output}");
        Url = new(Address().Match(Command.Error).Groups[1].Value);
        Client = new() { BaseAddress = Url, Timeout = Limits.Seconds(10) };
    }

    public Task<string> GetAsync(string path) => Client.GetStringAsync(path).Within();

    /// <summary>A request that its client has named.</summary>
    public async Task<HttpResponseMessage> NamedAsync(string name, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Skein-Request-Id", name);
        return await Client.SendAsync(request);
    }

    /// <summary>Waits until its workers work on so many requests.</summary>
    public async Task HasActiveAsync(int requests)
    {
        var ps = "";
        await Limits.Until(
            () => Active().Sum(active => int.Parse(active.Groups[1].Value, CultureInfo.InvariantCulture)) == requests, () => $"{requests} requests at work: {ps}", 20);

        IEnumerable<Match> Active() => ActiveRequests().Matches(ps = AskAsync("ps", "--json").GetAwaiter().GetResult().Output);
    }

    /// <summary>A new release in a folder of its own; not yet the current one.</summary>
    public string AddRelease(string version)
    {
        CopyTo(_folder[version]);
        File.WriteAllText(Path.Combine(_folder[version], "version.txt"), version);
        return _folder[version];
    }

    /// <summary>Points the link at another folder, in one step.</summary>
    public async Task PointAtAsync(string folder)
    {
        File.CreateSymbolicLink(Link + ".new", folder);
        await SkeinCommand.RunProgramAsync("mv", "-T", Link + ".new", Link);
    }

    /// <summary>Sends SIGHUP and waits until the master has said how it went.</summary>
    public async Task<string> ReloadAsync()
    {
        var before = Command.Error.Length;
        await Command.SignalAsync("HUP");
        await Limits.Until(() => Outcome().IsMatch(Command.Error[before..]), () => $"the outcome of the reload, after: {Command.Error[before..]}", 40);
        return Command.Error[before..];
    }

    /// <summary>The processes of the workers: the children of the master.</summary>
    public int[] Workers() => ChildrenOf(Master);

    // Asked of the children: a list of theirs is kept by each thread of the parent, and moves when one ends.
    public static int[] ChildrenOf(int parent) =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => char.IsAsciiDigit(name![0]) && ParentOf(name) == $"{parent}").Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).Order()];

    static string? ParentOf(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var parent, ..] ? parent : null;
        }
        catch (IOException)
        {
            return null;   // it has just ended
        }
    }

    /// <summary>Workers of the current release that start now wait until this is disposed of.</summary>
    public IDisposable HoldStarts()
    {
        var gate = Path.Combine(new DirectoryInfo(Link).ResolveLinkTarget(returnFinalTarget: true)!.FullName, "waits.txt");
        File.WriteAllText(gate, "");
        return new Gate(gate);
    }

    sealed class Gate(string file) : IDisposable
    {
        public void Dispose() => File.Delete(file);
    }

    public static string FreeAddress() => $"http://127.0.0.1:{FreePort()}";

    /// <summary>A port that nobody has now, below those that the system gives to whoever asks for any: other tests do all the time.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(15_000, 32_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (!Command.Process.HasExited)
        {
            await Command.SignalAsync("TERM");
            await Command.SignalAsync("TERM");
        }

        try
        {
            await Command.Process.WaitForExitAsync().Within();
        }
        finally
        {
            Command.Dispose();
            _folder.Dispose();
        }
    }

    static void CopyTo(string folder, string application = Plain)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(BuiltFolder(application)))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    [GeneratedRegex(@"""active"":(\d+)")] private static partial Regex ActiveRequests();

    [GeneratedRegex(@"serves on (\S+)")] private static partial Regex Address();

    [GeneratedRegex(@"skein: reloaded|could not serve|cannot be|There is no")] private static partial Regex Outcome();
}
