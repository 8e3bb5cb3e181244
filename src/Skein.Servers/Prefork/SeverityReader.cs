namespace Skein;

/// <summary>Reads off printed lines how severe they are, by the framework's console format: <c>warn: Category[0]</c>, then indented lines.</summary>
sealed class SeverityReader(LogSeverity otherwise)
{
    LogSeverity? _current;

    public LogSeverity Of(string line)
    {
        if (!line.StartsWith(' ') && !line.StartsWith('\t'))
        {
            _current = line switch
            {
                _ when line.StartsWith("trce: ", StringComparison.Ordinal) => LogSeverity.Trace,
                _ when line.StartsWith("dbug: ", StringComparison.Ordinal) => LogSeverity.Debug,
                _ when line.StartsWith("info: ", StringComparison.Ordinal) => LogSeverity.Information,
                _ when line.StartsWith("warn: ", StringComparison.Ordinal) => LogSeverity.Warning,
                _ when line.StartsWith("fail: ", StringComparison.Ordinal) => LogSeverity.Error,
                _ when line.StartsWith("crit: ", StringComparison.Ordinal) => LogSeverity.Critical,
                _ => otherwise,
            };
        }

        return _current ?? otherwise;
    }
}
