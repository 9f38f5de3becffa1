using Microsoft.Extensions.Logging;

namespace Cove.Cli.Warm;

/// <summary>The engine's messages, one line each, on standard error (which is the log file of a background engine).</summary>
internal sealed class LineLog(TimeProvider time) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(time, categoryName);

    public void Dispose() { }

    private sealed class Logger(TimeProvider time, string category) : ILogger
    {
        /// <summary>Ours from information on; the web server's only when something is wrong.</summary>
        private readonly LogLevel _least = category.StartsWith("Cove.", StringComparison.Ordinal) ? LogLevel.Information : LogLevel.Warning;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= _least && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                var cause = exception is null ? "" : " :: " + exception.ToString().ReplaceLineEndings(" | ");
                Console.Error.WriteLine($"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {logLevel} {eventId.Id} {formatter(state, exception)}{cause}");
            }
        }
    }
}
