using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Skein.Tests.Servers;

/// <summary>The application Skein.Tests.Web, run as a program of its own, and a client for it.</summary>
sealed class WebProgram : IAsyncDisposable
{
    /// <summary>The program's file.</summary>
    public static readonly string Dll = Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Web/", StringComparison.Ordinal), "Skein.Tests.Web.dll");

    readonly ScratchNotes _notes = new();
    readonly System.Diagnostics.Process _process;
    readonly StringBuilder _output = new();

    WebProgram(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Dll, "--urls", "http://127.0.0.1:0", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SKEIN_TEST_NOTES"] = _notes.Folder;
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        _process = new() { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public HttpClient Client { get; private set; } = null!;

    public Uri Address { get; private set; } = null!;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Starts it with these settings, as <c>--name value</c>; returns when it listens.</summary>
    public static async Task<WebProgram> StartAsync(params string[] arguments)
    {
        var program = new WebProgram(arguments);
        try
        {
            await Limits.Until(() => program.Listening() is not null || program._process.HasExited, "the application to listen", 30);
            if (program._process.HasExited)
                await program._process.WaitForExitAsync().Within();   // all that it said is here then
            program.Address = new(program.Listening() ?? throw new InvalidOperationException($"The application did not start:\n{program.Output}"));
            program.Client = new() { BaseAddress = program.Address, Timeout = Limits.Seconds(20) };
            return program;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    // What its own workers say begins with their names.
    string? Listening() => Output.Split('\n')[..^1].FirstOrDefault(line => line.StartsWith("listening ", StringComparison.Ordinal))?["listening ".Length..];

    /// <summary>Its process.</summary>
    public int Id => _process.Id;

    public Task SignalAsync(string signal) => Cli.SkeinCommand.RunProgramAsync("kill", $"-{signal}", $"{_process.Id}");

    /// <summary>The processes that it has started.</summary>
    public int[] Children() => ServedApp.ChildrenOf(_process.Id);

    public Task<string> GetAsync(string path) => Client.GetStringAsync(path).Within(20);

    public async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var response = await Client.GetAsync(path).Within(20);
        return response.StatusCode;
    }

    /// <summary>A connection of its own, for what no well-behaved client sends.</summary>
    public async Task<Socket> ConnectAsync(string bytes)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Address.Port).Within();
        await socket.SendAsync(Encoding.ASCII.GetBytes(bytes)).Within();
        return socket;
    }

    /// <summary>Waits for a note that a handler leaves, and takes it.</summary>
    public async Task<string> NoteAsync(string name)
    {
        var text = "";
        await Limits.Until(() => (text = _notes.Text(name)).Length > 0, () => $"the note '{name}' of a handler; the application says:\n{Output}");
        _notes.Remove(name);
        return text;
    }

    /// <summary>A note as it is now; empty when there is none.</summary>
    public string Note(string name) => _notes.Text(name);

    /// <summary>Leaves a note for a handler.</summary>
    public void Tell(string name) => _notes.Write(name);

    /// <summary>Removes the notes of earlier tests.</summary>
    public WebProgram Forget()
    {
        foreach (var file in Directory.GetFiles(_notes.Folder))
            File.Delete(file);
        return this;
    }

    public static bool Lives(string process) => Directory.Exists($"/proc/{int.Parse(process, CultureInfo.InvariantCulture)}");

    /// <summary>Asks it to stop, and waits until it has.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("TERM");
        await _process.WaitForExitAsync().Within(30);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (!_process.HasExited)
            await StopAsync();
        _process.Dispose();
        _notes.Dispose();
    }

    void Add(string? line)
    {
        lock (_output)
            _output.Append(line).Append('\n');
    }

    /// <summary>Files by which handlers and tests talk beside HTTP.</summary>
    sealed class ScratchNotes : IDisposable
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("skein-test-").FullName;

        public string Text(string name)
        {
            try
            {
                return File.ReadAllText(Path.Combine(Folder, name));
            }
            catch (IOException)
            {
                return "";
            }
        }

        public void Write(string name) => File.WriteAllText(Path.Combine(Folder, name), "go");

        public void Remove(string name) => File.Delete(Path.Combine(Folder, name));

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
