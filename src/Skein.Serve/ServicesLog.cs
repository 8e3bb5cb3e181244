using Microsoft.Extensions.Logging;

namespace Skein.Serve;

/// <summary>What the super-server says: lines on standard error, kept for <c>skein logs</c> as well, each under the service that it is about.</summary>
sealed class ServicesLog(string id) : ILoggerFactory, ILogger
{
    public ServeLog Lines { get; } = new(TimeProvider.System, id);

    /// <summary>Of the server itself.</summary>
    public void Say(string text, LogSeverity severity = LogSeverity.Information) => Add(id, severity, text);

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        var service = (state as IEnumerable<KeyValuePair<string, object?>>)?.FirstOrDefault(value => value.Key == "Service").Value;
        Add(service is null ? id : $"{id}.{service}", (LogSeverity)logLevel, $"{formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    void Add(string origin, LogSeverity severity, string text)
    {
        Console.Error.WriteLine($"skein: {text}");
        Lines.Add(origin, severity, text, isError: true);
    }
}
