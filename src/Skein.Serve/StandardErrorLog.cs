using Microsoft.Extensions.Logging;

namespace Skein.Serve;

/// <summary>What the super-server says, as lines on standard error.</summary>
sealed class StandardErrorLog : ILoggerFactory, ILogger
{
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"skein: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
