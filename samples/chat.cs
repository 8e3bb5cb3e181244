// A chat server that is replaced by its next release, three times, while its clients talk. Each release is an operating-system process of its own; the server,
// with the socket it listens on and all of its connections, goes on in the next one, and the last one ends.
//
//   dotnet run samples/chat.cs
//
// What to see: every client has one connection from beginning to end, and reads each message once and in order. Only the number of the release in
// front of what it reads tells it that something has happened.

#:project ../src/Skein.Cluster
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Skein;

[assembly: SupportedOSPlatform("linux")]

var folder = Directory.CreateTempSubdirectory("skein-chat-").FullName;
await using (var operating = await ClusterNode.StartAsync("operator", new() { Folder = folder }))
{
    using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
    listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    listener.Listen();
    var address = listener.LocalEndPoint!;
    var server = operating.Node.Start(ServerOf(listener));

    var process = await ReleaseAsync(1, null);
    using var over = new CancellationTokenSource();
    var clients = new List<Client>();
    foreach (var name in new[] { "ada", "bob", "cyd", "dan", "eve" })
        clients.Add(await Client.ConnectAsync(name, address));
    var talking = Task.WhenAll(clients.Select(client => client.TalkAsync(over.Token)));
    for (var number = 2; number <= 4; number++)
    {
        await Task.WhenAll(clients.Select(client => client.HearAsync(number - 1)));
        process = await ReleaseAsync(number, process);
    }

    await Task.WhenAll(clients.Select(client => client.HearAsync(4)));
    await over.CancelAsync();
    await talking;
    var sent = clients.Sum(client => client.Sent);
    while (clients.Any(client => client.Heard < sent && client.Complaints == 0))
        await Task.Delay(TimeSpan.FromMilliseconds(1));
    Console.WriteLine($"{clients.Count} clients, one connection each: {sent} messages, each heard by all once and in order; {clients.Sum(client => client.Complaints)} complaints");
    clients.ForEach(client => client.Dispose());
    server.Kill();
    await process.DisposeAsync();

    async Task<Process<Nothing>> ReleaseAsync(int number, Process<Nothing>? last)
    {
        var ready = new TaskCompletionSource();
        var next = await Place.OsProcess.StartAsync(RunRelease, new Release(number, folder), Callback.To((int _) => ready.TrySetResult()));
        await await Task.WhenAny(ready.Task, next.Completion);
        await server.MoveToAsync($"release-{number}");
        Console.WriteLine($"release {number} serves in process {next.OsProcessId}{(last is null ? "" : $", and process {last.OsProcessId} ends")}");
        if (last is not null)
            await last.DisposeAsync();
        return next;
    }
}

Directory.Delete(folder, recursive: true);

// A function captures what stands here and nothing else.
static Func<Mobile> ServerOf(Socket listener)
{
    var passed = Passed.Of(listener);
    return () => Serve(passed);
}

// The chat. Whatever it waits for, it can be moved there.
static async Mobile Serve(Passed<Socket> listener)
{
    var clients = new List<Passed<Socket>>();
    while (true)
    {
        var client = await Here.Restartable(token => AcceptAsync(listener, token));
        clients.Add(client);
        _ = Talk(client, clients);
    }
}

static async Mobile Talk(Passed<Socket> client, List<Passed<Socket>> clients)
{
    await client.Value.SendAsync("welcome\n"u8.ToArray());   // from now on it hears all
    var begun = "";   // a line that has not ended yet
    while (await Here.Restartable(token => ReceiveAsync(client, token)) is { Length: > 0 } text)
    {
        var lines = (begun + text).Split('\n');
        begun = lines[^1];
        foreach (var line in lines[..^1])
        {
            var message = Encoding.ASCII.GetBytes($"{Here.Resource<Release>("release").Number} {line}\n");
            foreach (var other in clients.ToArray())
                await other.Value.SendAsync(message);
        }
    }

    clients.Remove(client);
    client.Value.Dispose();
}

static async Task<Passed<Socket>> AcceptAsync(Passed<Socket> listener, CancellationToken token) => Passed.Of(await listener.Value.AcceptAsync(token));

static async Task<string> ReceiveAsync(Passed<Socket> client, CancellationToken token)
{
    var buffer = new byte[1000];
    return Encoding.ASCII.GetString(buffer, 0, await client.Value.ReceiveAsync(buffer, token));
}

// One release: a node, until it is asked to end.
static async Task RunRelease(Release release, Callback<int, bool> ready)
{
    await using var cluster = await ClusterNode.StartAsync($"release-{release.Number}", new() { Folder = release.Folder });
    cluster.Node.Provide("release", release);
    await ready.InvokeAsync(release.Number);
    await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

sealed record Release(int Number, string Folder);

// Says a number after the other, each when it has heard the last, and listens to all. It has never heard of processes.
sealed class Client(string name, Socket socket) : IDisposable
{
    readonly ConcurrentDictionary<string, int> _last = new();
    readonly ConcurrentDictionary<int, TaskCompletionSource> _heard = new();   // by release
    readonly SemaphoreSlim _own = new(0);
    readonly TaskCompletionSource _isWelcome = new();
    Task _listening = Task.CompletedTask;

    public int Sent { get; private set; }

    public int Complaints { get; private set; }

    public int Heard => _last.Values.Sum();

    public static async Task<Client> ConnectAsync(string name, EndPoint server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server);
        var client = new Client(name, socket);
        client._listening = client.ListenAsync();
        await client._isWelcome.Task;
        return client;
    }

    public Task HearAsync(int release) => _heard.GetOrAdd(release, _ => new()).Task;

    public async Task TalkAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested && Complaints == 0)
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes($"{name} {Sent + 1}\n"), CancellationToken.None);
            Sent++;
            await _own.WaitAsync(CancellationToken.None);
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        _own.Dispose();
    }

    async Task ListenAsync()
    {
        using var lines = new StreamReader(new NetworkStream(socket));
        try
        {
            while (await lines.ReadLineAsync() is { } line)
            {
                if (_isWelcome.TrySetResult())
                    continue;
                var words = line.Split(' ');
                var (release, who, number) = (int.Parse(words[0]), words[1], int.Parse(words[2]));
                if (number != _last.GetValueOrDefault(who) + 1)
                    Complaints++;
                _last[who] = number;
                if (who == name)
                    _own.Release();
                _heard.GetOrAdd(release, _ => new()).TrySetResult();
            }
            Complaints++;   // the connection has ended
        }
        catch (IOException)
        {
            Complaints++;
        }
    }
}
