using System.CommandLine;
using System.Text;

namespace Skein.Cli;

/// <summary>
/// Writes the script by which a shell completes the command's words. It is made of the grammar and knows all of it, so that no program is
/// started while somebody types.
/// </summary>
static class ShellCompletion
{
    public static int Print(string? shell, RootCommand root)
    {
        var commands = root.Subcommands.ToList();
        StandardStream.Output.Write(shell switch
        {
            "bash" => Bash(commands),
            "zsh" => Zsh(commands),
            "fish" => Fish(commands),
            _ => throw CommandFailure.Usage($"completion takes bash, zsh or fish{(shell is null ? "" : $"; '{shell}' is none")}."),
        });
        return 0;
    }

    static string Bash(List<Command> commands)
    {
        var script = new StringBuilder("""
            # bash completion of skein: source <(skein completion bash)
            _skein_reply() {   # a name may have spaces: one reply a line
                local reply
                case $1:${COMP_WORDS[COMP_CWORD]} in -f:*|-d:*|-c:*/*) compopt -o filenames 2>/dev/null ;; esac   # else a folder named as a command would get its slash
                while IFS= read -r reply; do COMPREPLY+=("$reply"); done < <(compgen "$@" -- "${COMP_WORDS[COMP_CWORD]}")
            }
            _skein() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= word
                COMPREPLY=()
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case $word in
                        --) if [[ $previous == -- ]]; then _skein_reply -c; else _skein_reply -f; fi; return ;;
                        :::) _skein_reply -f; return ;;
                        -*) ;;
                        *) command=${command:-$word} ;;
                    esac
                done
                case $command:$previous in

            """);
        foreach (var (command, option) in commands.SelectMany(c => c.Options.Where(TakesValue), (c, o) => (c, o)))
            script.Append($"        {command.Name}:{option.Name}) {(IsFile(option) ? Reply("-f") : Values(option) is { Length: > 0 } values ? Reply($"-W '{string.Join(' ', values)}'") : "")}return ;;\n");
        script.Append("    esac\n    case $command in\n");
        script.Append($"        '') {Reply($"-W '{Names(commands)} --help --version'")};;\n");
        foreach (var command in commands)
            script.Append($"        {command.Name}) if [[ $current == -* ]]; then {Reply($"-W '{Names(command.Options)} --help'")}else {Argument(command)}fi ;;\n");
        return script.Append("    esac\n}\ncomplete -F _skein skein\n").ToString();

        static string Reply(string what) => $"_skein_reply {what}; ";

        static string Argument(Command command) => command.Name == "completion" ? Reply("-W 'bash zsh fish'")
            : RunsFiles(command) ? Reply("-f -X '!*.cs'") + Reply("-f -X '!*.dll'") + Reply("-d")
            : ":; ";
    }

    static string Zsh(List<Command> commands)
    {
        var script = new StringBuilder("#compdef skein\n# zsh completion of skein: source <(skein completion zsh)\n_skein() {\n    local state\n    local -a subcommands=(");
        script.AppendJoin(' ', commands.Select(command => $"'{Quoted(command.Name)}:{Quoted(command.Description!)}'"));
        script.Append(")\n    _arguments -C '--help[Show help]' '--version[Show the version]' '1:command:->command' '*::argument:->rest'\n");
        script.Append("    case $state in\n        command) _describe command subcommands ;;\n        rest)\n            if (( ${words[(I)--]} && ${words[(I)--]} < CURRENT )); then if [[ $words[CURRENT-1] == -- ]]; then _command_names -e; else _files; fi; return; fi\n            case $words[1] in\n");
        foreach (var command in commands)
        {
            script.Append($"                {command.Name}) _arguments '--help[Show help]'");
            foreach (var option in command.Options.Where(option => option.Name.StartsWith("--", StringComparison.Ordinal)))
            {
                var value = !TakesValue(option) ? "" : $":{option.HelpName?.Split('|')[0]}:{(IsFile(option) ? "_files" : Values(option) is { Length: > 0 } values ? $"({string.Join(' ', values)})" : " ")}";
                script.Append($" '{option.Name}[{Quoted(option.Description ?? "").Replace("[", "(").Replace("]", ")")}]{value}'");
            }

            script.Append(command.Name == "completion" ? " '1:shell:(bash zsh fish)' ;;\n" : RunsFiles(command) ? " '*:file:_files' ;;\n" : " ;;\n");
        }

        return script.Append("            esac ;;\n    esac\n}\ncompdef _skein skein\n").ToString();

        static string Quoted(string text) => text.Replace("'", "'\\''").Replace(":", "\\:");
    }

    static string Fish(List<Command> commands)
    {
        var script = new StringBuilder("# fish completion of skein: skein completion fish | source\ncomplete -c skein -n __fish_use_subcommand -f -l help -d 'Show help'\ncomplete -c skein -n __fish_use_subcommand -f -l version -d 'Show the version'\n");
        foreach (var command in commands)
        {
            script.Append($"complete -c skein -n __fish_use_subcommand -f -a {command.Name} -d '{Quoted(command.Description!)}'\n");
            var when = $"-n '__fish_seen_subcommand_from {command.Name}; and not contains -- -- (commandline -opc)'";
            foreach (var option in command.Options.Where(option => option.Name.StartsWith("--", StringComparison.Ordinal)))
            {
                var value = !TakesValue(option) ? "-f" : IsFile(option) ? "-r -F" : $"-x -a '{string.Join(' ', Values(option))}'";
                script.Append($"complete -c skein {when} -l {option.Name[2..]} {value} -d '{Quoted(option.Description ?? "")}'\n");
            }

            if (command.Name == "completion")
                script.Append($"complete -c skein {when} -f -a 'bash zsh fish'\n");
        }

        return script.ToString();

        static string Quoted(string text) => text.Replace("'", "\\'");
    }

    static bool RunsFiles(Command command) => command.Name is "run" or "map" or "serve" or "upgrade";   // the others take the id of a server

    static bool TakesValue(Option option) => option.ValueType != typeof(bool) && option.HelpName is not null;

    static bool IsFile(Option option) => option.HelpName == "FILE";

    static string[] Values(Option option) => option.HelpName?.Contains('|') == true ? option.HelpName.Split('|') : [];

    static string Names(IEnumerable<Symbol> symbols) => string.Join(' ', symbols.Select(symbol => symbol.Name).Where(name => name.Length > 2 || !name.StartsWith('-')));
}
