using Microsoft.Extensions.Logging;

namespace Cove.Agent.HttpTools;

/// <summary>Log messages of declared tools; ids 4300 to 4399. Nothing of an input, an address's path or an answer is in them.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(4300, LogLevel.Information, "tool {Tool} at {Host}: {Outcome} (status {Status}, {Tries} tries, {DurationMs} ms)")]
    public static partial void ToolCalled(this ILogger log, string tool, string host, string outcome, int status, int tries, double durationMs);

    [LoggerMessage(4301, LogLevel.Information, "tool {Tool} repeats its request for the {Count}. time in {DelayMs} ms")]
    public static partial void ToolRepeats(this ILogger log, string tool, int count, double delayMs);

    [LoggerMessage(4302, LogLevel.Warning, "circuit of {Host} opens for {Seconds} s: it failed too often")]
    public static partial void CircuitOpened(this ILogger log, string host, double seconds);

    [LoggerMessage(4303, LogLevel.Information, "circuit of {Host} is closed again")]
    public static partial void CircuitClosed(this ILogger log, string host);

    [LoggerMessage(4304, LogLevel.Error, "tool {Tool} has no usable secret: {Code}")]
    public static partial void SecretUnusable(this ILogger log, string tool, string code);
}
