namespace Skein.Tests.Cli;

/// <summary>What the printed scripts offer in a real shell.</summary>
public sealed class CompletionTests : IAsyncLifetime
{
    readonly ScratchFolder _folder = new();

    public async ValueTask InitializeAsync()
    {
        foreach (var shell in (string[])["bash", "zsh", "fish"])
            _folder.Write(shell, (await SkeinCommand.RunAsync("completion", shell)).Output);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }

    [Theory]
    [InlineData("skein ''", "run map serve node ps top inspect logs reload scale kill move checkpoint restore attach upgrade completion --help --version")]
    [InlineData("skein map --pl", "--place")]
    [InlineData("skein run --t", "--timeout")]
    [InlineData("skein map --place ''", "process thread")]
    [InlineData("skein map --halt s", "soon,fail=1")]
    [InlineData("skein completion z", "zsh")]
    [InlineData("skein map -- mkfi", "mkfifo")]
    [InlineData("skein map --joblog fi", "fish")]
    public async Task Bash_offers(string words, string offered)
    {
        var ended = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c", $"cd {_folder.Path}; source ./bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _skein; echo ${{COMPREPLY[@]}}");
        Assert.Equal(offered, string.Join(' ', ended.Output.Trim().Split(' ').Distinct()));
    }

    [Theory]
    [InlineData("skein run a", "a b.cs\na c.dll\na d\n")]
    [InlineData("skein map -- cat ::: a", "a b.cs\na c.dll\na d\na e.txt\n")]
    [InlineData("skein inspect a", "")]
    public async Task Bash_offers_names_with_spaces_whole_and_files_where_a_file_is_meant(string words, string offered)
    {
        foreach (var name in (string[])["a b.cs", "a c.dll", "a e.txt"])
            _folder.Write(name, "");
        Directory.CreateDirectory(_folder["a d"]);
        var script = $"cd {_folder.Path}; source ./bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _skein; for reply in \"${{COMPREPLY[@]}}\"; do echo \"$reply\"; done; shopt -q extglob && echo extglob";
        var ended = await SkeinCommand.RunProgramAsync("bash", "--norc", "-c", script);
        Assert.Equal(offered, string.Concat(ended.Lines.Order(StringComparer.Ordinal).Select(line => line + "\n")));
    }

    [Fact]
    public async Task Bash_ends_a_command_with_a_space_though_a_folder_has_its_name_and_a_folder_with_a_slash()
    {
        Directory.CreateDirectory(_folder["run"]);
        Directory.CreateDirectory(_folder["folder"]);
        var script = _folder.Write("terminal.bash", $"unset HISTFILE; cd {_folder.Path}; source ./bash; skein() {{ printf '<%s>' \"$@\"; echo; }}");

        // An interactive shell edits its lines though it has no terminal; in a session of its own it takes nobody's.
        using var started = SkeinCommand.StartProgram("setsid", ["--wait", "bash", "--norc", "-i"], new Dictionary<string, string> { ["TERM"] = "dumb", ["INPUTRC"] = "/dev/null" });
        await started.Process.StandardInput.WriteAsync($"source {script}\nskein ru\t\nskein run fol\t\nskein map -- ./fol\t\n");
        started.Process.StandardInput.Close();
        Assert.Equal("<run>\n<run><folder/>\n<map><--><./folder/>\n", (await started.EndAsync()).Output);
    }

    [Theory]
    [InlineData("skein ", "attach checkpoint completion inspect kill logs map move node ps reload restore run scale serve top upgrade")]
    [InlineData("skein map --pl", "--place")]
    [InlineData("skein map --place ", "process thread")]
    [InlineData("skein completion ", "bash fish zsh")]
    public async Task Fish_offers(string words, string offered)
    {
        Require("/usr/bin/fish");
        var ended = await SkeinCommand.RunProgramAsync("fish", "--no-config", "-c", $"source {_folder["fish"]}; complete -C '{words}'");
        Assert.Equal(offered, string.Join(' ', ended.Lines.Select(line => line.Split('\t')[0]).Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("skein comp", "completion")]
    [InlineData("skein map --plac", "--place")]
    [InlineData("skein map --place thr", "thread")]
    [InlineData("skein map -- mkfi", "mkfifo")]
    public async Task Zsh_completes(string words, string completed)
    {
        Require("/usr/bin/zsh");
        var script = _folder.Write("terminal.zsh", $$"""
            zmodload zsh/zpty
            zpty shell 'TERM=dumb PS1=READY zsh -f -i'
            zpty -r shell start '*READY*'
            zpty -w shell 'autoload -Uz compinit && compinit -u -D && source {{_folder["zsh"]}} && print LOADED-$((1 + 1))'
            zpty -r shell loaded '*LOADED-2*READY*'
            zpty -w -n shell '{{words}}'$'\t'
            zpty -r shell typed '*{{completed}}*' && print completed
            zpty -d shell
            """);
        var ended = await SkeinCommand.RunProgramAsync("timeout", "20", "zsh", "-f", script);
        Assert.Equal("completed\n", ended.Output);
    }

    static void Require(string program)
    {
        if (!File.Exists(program))
            Assert.Skip($"needs {program}");
    }
}
