using System.Diagnostics;
using Cove.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Logs;

/// <summary>A log message with everything around it, as it was at the moment it was said.</summary>
internal readonly record struct LogLine(DateTimeOffset Time, LogLevel Level, string Category, EventId Event, string Message, Exception? Exception)
{
    /// <summary>Beyond this a message or an exception is cut: one line must not fill the log.</summary>
    public const int MaximumCharacters = 16 << 10;

    public string? CorrelationId { get; } = Correlation.Current;

    public string? TraceId { get; } = Activity.Current?.TraceId.ToHexString();

    public string? SpanId { get; } = Activity.Current?.SpanId.ToHexString();

    public static string Cut(string text) => text.Length <= MaximumCharacters ? text : text[..MaximumCharacters] + " …";
}
