using System.Diagnostics;

namespace Skein.Bench.Servers;

/// <summary>Servers that Skein is compared with, each with a configuration that takes away what it would do beside the work: logs, limits.</summary>
static class ServerPeers
{
    static readonly string Work = Directory.CreateTempSubdirectory("skein-bench-peers-").FullName;

    static ServerPeers() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Work, recursive: true);

    /// <summary>Where commands find the servers of this program, and no others.</summary>
    public static string Home => Path.Combine(Work, "home");

    /// <param name="kind">As <c>-k</c> has it: sync, gthread.</param>
    public static Task<ServerProgram> GunicornAsync(string kind, int workers, int threads = 1)
    {
        var program = Peers.Find("gunicorn") ?? throw new MissingPeerException("gunicorn is not installed (run bench/peers/install)");
        string[] threaded = threads > 1 ? ["--threads", $"{threads}"] : [];
        return ServerProgram.StartAsync(port => new(Peers.Python,
        [
            program, "-k", kind, "-w", $"{workers}", .. threaded, "--bind", $"127.0.0.1:{port}", "--log-level", "critical",
            "--chdir", Path.Combine(Peers.Folder, "peers/python"), "app:app",
        ])
        {
            Environment = new() { ["PYTHONPATH"] = Path.Combine(Peers.Unpacked, "usr/lib/python3/dist-packages") },
        });
    }

    /// <summary>Apache, which serves a file of five letters and a newline, as web servers do.</summary>
    /// <param name="module">event or worker.</param>
    public static Task<ServerProgram> ApacheAsync(string module)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Work, $"apache-{module}")).FullName;
        File.WriteAllText(Path.Combine(folder, "hello"), BenchApplication.Hello);
        var modules = Directory.Exists("/usr/lib/apache2/modules") ? "/usr/lib/apache2/modules" : Path.Combine(Peers.Unpacked, "usr/lib/apache2/modules");
        var file = Path.Combine(folder, "httpd.conf");
        OpenToOthers(folder);
        return ServerProgram.StartAsync(port =>
        {
            File.WriteAllText(file, Configuration(port));
            return new("apache2", ["-f", file, "-DFOREGROUND"]) { Environment = Libraries };
        });

        string Configuration(int port) => $"""
            ServerRoot {folder}
            DefaultRuntimeDir {folder}
            PidFile {folder}/pid
            ServerName localhost
            Listen 127.0.0.1:{port}
            LoadModule mpm_{module}_module {modules}/mod_mpm_{module}.so
            LoadModule authz_core_module {modules}/mod_authz_core.so
            User nobody
            Group nogroup
            StartServers 2
            ServerLimit 2
            ThreadsPerChild 32
            ThreadLimit 32
            MinSpareThreads 1
            MaxSpareThreads 64
            MaxRequestWorkers 64
            KeepAlive On
            MaxKeepAliveRequests 0
            ErrorLog {folder}/log
            DocumentRoot {folder}
            <Directory {folder}>
            Require all granted
            </Directory>

            """;
    }

    /// <summary>nginx, which serves the same file.</summary>
    public static Task<ServerProgram> NginxAsync(int workers)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Work, "nginx")).FullName;
        File.WriteAllText(Path.Combine(folder, "hello"), BenchApplication.Hello);
        OpenToOthers(folder);
        return ServerProgram.StartAsync(port =>
        {
            var file = Write("nginx/nginx.conf", $$"""
                daemon off;
                worker_processes {{workers}};
                user nobody nogroup;
                pid {{folder}}/pid;
                events { worker_connections 1024; }
                http {
                    access_log off;
                    sendfile on;
                    keepalive_requests 1000000000;
                    open_file_cache max=16;
                    client_body_temp_path {{folder}}/body;
                    proxy_temp_path {{folder}}/proxy;
                    fastcgi_temp_path {{folder}}/fastcgi;
                    uwsgi_temp_path {{folder}}/uwsgi;
                    scgi_temp_path {{folder}}/scgi;
                    server {
                        listen 127.0.0.1:{{port}};
                        root {{folder}};
                    }
                }

                """);
            return new("nginx", ["-p", folder, "-e", Path.Combine(folder, "log"), "-c", file]);
        });
    }

    /// <summary>The HTTP server of Go's standard library; it uses all processors.</summary>
    public static async Task<ServerProgram> GoAsync()
    {
        var root = Directory.Exists(UnpackedGo) ? UnpackedGo : null;
        var compiler = root is null ? Peers.Find("go") : Path.Combine(root, "bin/go");
        if (compiler is null)
            throw new MissingPeerException("Go is not installed (run bench/peers/install)");
        var program = Path.Combine(Work, "hello-in-go");
        var build = new ProcessStartInfo(compiler, ["build", "-o", program, Path.Combine(Peers.Folder, "peers/go/hello.go")]);
        build.Environment["GOCACHE"] = Path.Combine(Work, "go-cache");
        build.Environment["GO111MODULE"] = "off";
        build.Environment["CGO_ENABLED"] = "0";
        if (root is not null)
            build.Environment["GOROOT"] = root;
        using var compiling = Process.Start(build)!;
        await compiling.WaitForExitAsync();
        if (compiling.ExitCode != 0)
            throw new InvalidOperationException($"{compiler} ended with {compiling.ExitCode}: what it wrote says why.");
        return await ServerProgram.StartAsync(port => new(program, [$"127.0.0.1:{port}"]));
    }

    static string UnpackedGo => Path.Combine(Peers.Unpacked, "usr/lib/go-1.19");

    public static Task<ServerProgram> InetdAsync(string service) => ServerProgram.StartAsync(port =>
    {
        var file = Write("inetd.conf", $"127.0.0.1:{port} stream tcp nowait.60000 root {service} hello\n");
        return new("inetd", ["-i", "-R", "0", file]) { Environment = Libraries };
    });

    public static Task<ServerProgram> XinetdAsync(string service) => ServerProgram.StartAsync(port =>
    {
        var configuration = $$"""
            defaults
            {
                instances = UNLIMITED
                per_source = UNLIMITED
                cps = 1000000 1
                log_type = FILE /dev/null
            }
            service hello
            {
                type = UNLISTED
                bind = 127.0.0.1
                port = {{port}}
                socket_type = stream
                protocol = tcp
                wait = no
                user = root
                server = {{service}}
            }

            """;
        return new("xinetd", ["-dontfork", "-limit", "100000", "-f", Write("xinetd.conf", configuration)]) { Environment = Libraries };
    });

    public static Task<ServerProgram> SystemdAsync(string service) => ServerProgram.StartAsync(port => new(
        "systemd-socket-activate", ["-l", $"127.0.0.1:{port}", "--accept", "--inetd", service]));

    /// <summary>The service in C that a super-server starts for each connection.</summary>
    public static Task<string> CompileHelloAsync() => CProgram.CompileAsync("hello");

    static Dictionary<string, string> Libraries => new()
    {
        ["LD_LIBRARY_PATH"] = $"{Peers.Unpacked}/usr/lib/x86_64-linux-gnu:{Peers.Unpacked}/lib/x86_64-linux-gnu",
    };

    static string Write(string name, string text)
    {
        var file = Path.Combine(Work, name);
        File.WriteAllText(file, text);
        return file;
    }

    // Its workers run as nobody.
    static void OpenToOthers(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        const UnixFileMode Enter = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(Work, Enter);
        File.SetUnixFileMode(folder, Enter);
    }
}
