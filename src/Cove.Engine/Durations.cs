using System.Globalization;

namespace Cove.Engine;

/// <summary>Spans of time in sentences: in the unit a person would choose.</summary>
internal static class Durations
{
    /// <summary>For example <c>400 ms</c>, <c>1.5 s</c>, <c>30 s</c>, <c>5 min</c>, <c>5 min 30 s</c>, <c>24 h</c>.</summary>
    public static string Say(TimeSpan span) => span switch
    {
        { TotalMilliseconds: < 999.5 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
        { TotalSeconds: < 59.95 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.#} s"),
        _ => OfSeconds((long)Math.Round(span.TotalSeconds)),
    };

    private static string OfSeconds(long seconds)
    {
        var parts = new (long Amount, string Unit)[] { (seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s") };
        return string.Join(' ', parts.Where(part => part.Amount > 0).Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Amount} {part.Unit}")));
    }
}
