using System.Runtime.CompilerServices;

namespace Skein.Bench;

/// <summary>Where the programs are that Skein is compared with. A peer that is missing is said in the results, never left out.</summary>
static class Peers
{
    /// <summary>The folder of this file's source: the peers' scripts are not copied.</summary>
    public static string Folder { get; } = Path.GetDirectoryName(SourceFile())!;

    /// <summary>The distribution's Python if there is one: another one on the PATH is often built differently.</summary>
    public static string Python { get; } = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

    public static string Node => "node";

    public static string PythonScript { get; } = Path.Combine(Folder, "peers/python/peer.py");

    public static string NodeScript { get; } = Path.Combine(Folder, "peers/node/peer.mjs");

    public static string DbosScript { get; } = Path.Combine(Folder, "peers/node/dbos.mjs");

    /// <summary>Where peers are that are only unpacked, not installed.</summary>
    public static string Unpacked { get; } = Path.Combine(Folder, "peers/debian");

    /// <summary>The path of a program, or null when it is not installed.</summary>
    public static string? Find(string program)
    {
        if (Path.IsPathRooted(program))
            return File.Exists(program) ? program : null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat([Path.Combine(Unpacked, "usr/sbin"), Path.Combine(Unpacked, "usr/bin")]);
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
    }

    /// <summary>Throws, saying what to do, unless the program and its script can be run.</summary>
    public static void Require(string program, string script)
    {
        if (Find(program) is null)
            throw new MissingPeerException($"{program} is not installed (run bench/peers/install)");
        if (script == NodeScript && !Directory.Exists(Path.Combine(Folder, "peers/node/node_modules/piscina")))
            throw new MissingPeerException("piscina is not installed (run bench/peers/install)");
        if (script != DbosScript)
            return;
        if (!Directory.Exists(Path.Combine(Folder, "peers/node/node_modules/@dbos-inc")))
            throw new MissingPeerException("DBOS is not installed (run bench/peers/install)");
        if (!Directory.Exists("/usr/lib/postgresql") && !Directory.Exists(Path.Combine(Unpacked, "usr/lib/postgresql")))
            throw new MissingPeerException("PostgreSQL is not installed (run bench/peers/install)");
    }

    static string SourceFile([CallerFilePath] string path = "") => path;
}

/// <summary>A program that the benchmark needs is not on this machine.</summary>
sealed class MissingPeerException(string message) : Exception(message);
