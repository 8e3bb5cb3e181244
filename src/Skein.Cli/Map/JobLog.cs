using System.Globalization;
using System.Text;

namespace Skein.Cli;

/// <summary>
/// The log of the jobs that ended and whose output was written, in GNU parallel's columns. Each line is written whole and at once, so that
/// a run which is killed can be resumed from it; a job that was stopped with the run has no line.
/// </summary>
sealed class JobLog : IDisposable
{
    public const string Header = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

    readonly FileStream _file;
    readonly Lock _lock = new();

    /// <summary>How many jobs of each command have succeeded, as far as they were not yet skipped.</summary>
    readonly Dictionary<string, int> _succeeded = [];

    bool _isBroken;

    JobLog(string path, FileMode mode, FileAccess access)
    {
        try
        {
            _file = new(path, new FileStreamOptions { Mode = mode, Access = access, Share = FileShare.ReadWrite, BufferSize = 0 });
            var length = _file.CanRead ? Read() : 0;
            if (!_file.CanWrite)
                return;
            if (_file.CanRead)
                _file.SetLength(_file.Position = length);   // a last line that was cut off must not become a part of the next one
            if (length == 0)
                _file.Write(Encoding.UTF8.GetBytes(Header + "\n"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _file?.Dispose();
            throw new CommandFailure(ErrorNumber.IsShortage(error) ? ExitCode.Temporary : ExitCode.NoInput, $"--joblog: {error.Message}");
        }
    }

    /// <summary>A log of its own, in place of any that is there. What can only be written, as a pipe, will do.</summary>
    public static JobLog Create(string path) => new(path, FileMode.Create, FileAccess.Write);

    /// <summary>To skip what it says has succeeded, and to write more.</summary>
    public static JobLog Resume(string path) => new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);

    /// <summary>Only to skip: another run may be writing it.</summary>
    public static JobLog Look(string path) => Native.IsSpecial(path) ? throw IsNoFile(path) : new(path, FileMode.Open, FileAccess.Read);

    /// <summary>Whether the log says that this command has succeeded; each of its lines answers once, so equal inputs are told apart.</summary>
    public bool Skips(string command)
    {
        if (_succeeded.Count == 0)
            return false;
        command = OneLine(command);
        lock (_lock)
        {
            if (!_succeeded.TryGetValue(command, out var times) || times == 0)
                return false;
            _succeeded[command] = times - 1;
            return true;
        }
    }

    /// <exception cref="CommandFailure">It cannot be written. That is said once; the file is then left as it is.</exception>
    public void Write(JobResult result)
    {
        var end = result.End;
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{result.Job.Number}\t:\t{result.Started.ToUnixTimeMilliseconds() / 1000.0:0.000}\t{result.Duration.TotalSeconds,10:0.000}\t0\t{result.Output.Output.Length}\t{Value(end)}\t{end.Signal}\t{OneLine(result.Command)}\n");
        lock (_lock)
        {
            if (_isBroken)
                return;
            try
            {
                _file.Write(Encoding.UTF8.GetBytes(line));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _isBroken = true;
                throw new CommandFailure(ExitCode.Temporary, $"--joblog: the log cannot be written: {error.Message.TrimEnd('.')}; the jobs from here on are not in it.");
            }
        }
    }

    public void Dispose() => _file.Dispose();

    // GNU parallel's values: a time-out is -1; what a signal ended has the exit value 0.
    static int Value(JobEnd end) => end.Cause switch
    {
        JobCause.TimedOut => -1,
        JobCause.Signalled => 0,
        _ => end.ExitCode,
    };

    // As GNU parallel does: a line feed would end the log's line.
    static string OneLine(string command) => command.Replace('\n', '\0');

    static CommandFailure IsNoFile(string path) =>
        new(ExitCode.NoInput, $"--resume: {path} cannot be resumed from: it is a pipe or a terminal, which keeps nothing; the log must be a file.");

    /// <summary>The length of its whole lines: one that was cut off says nothing for sure.</summary>
    int Read()
    {
        if (!_file.CanSeek)
            throw IsNoFile(_file.Name);
        var bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        var whole = bytes.AsSpan(0, bytes.AsSpan().LastIndexOf((byte)'\n') + 1);
        var lines = Encoding.UTF8.GetString(whole).Split('\n');
        if (bytes.Length > 0 && !lines[0].StartsWith("Seq\t", StringComparison.Ordinal))
            throw new CommandFailure(ExitCode.NoInput, $"--resume: {_file.Name} is not a job log: it does not begin with the line '{Header.Replace('\t', ' ')}'.");
        foreach (var line in lines)
        {
            if (line.Split('\t', 9) is [_, _, _, _, _, _, "0", "0", var command])
                _succeeded[command] = _succeeded.GetValueOrDefault(command) + 1;
        }

        return whole.Length;
    }
}
