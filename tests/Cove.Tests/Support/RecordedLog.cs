using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Cove.Tests.Support;

/// <summary>A log that is kept.</summary>
internal sealed class RecordedLog : ILogger
{
    private readonly ConcurrentQueue<(int Event, string Text, IReadOnlyDictionary<string, object?> Values)> _lines = new();

    public IReadOnlyList<(int Event, string Text, IReadOnlyDictionary<string, object?> Values)> Lines => [.. _lines];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((eventId.Id, formatter(state, exception) + exception, state is IReadOnlyList<KeyValuePair<string, object?>> values ? values.ToDictionary(v => v.Key, v => v.Value) : new Dictionary<string, object?>()));
}
