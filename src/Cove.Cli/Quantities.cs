using System.Globalization;

namespace Cove.Cli;

/// <summary>Sizes, durations and CPUs as people write them. Every failure is a sentence that names what would be right.</summary>
internal static class Quantities
{
    private const string SizeFix = "write a number with B, KB, MB, GB or TB (KiB, MiB and K, M, G mean the same: powers of 1024), for example 256MB";
    private const string DurationFix = "write a number with ms, s, m or h, for example 500ms, 30s or 5m";

    /// <summary>A size in bytes. All units are powers of 1024, as with <c>docker --memory 256m</c>: memory is bought in those.</summary>
    public static bool TryBytes(string text, out long bytes, out string fix)
    {
        fix = SizeFix;
        bytes = 0;
        var (number, unit) = Split(text);
        var shift = unit.ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            "T" or "TB" or "TIB" => 40,
            _ => -1,
        };
        if (shift < 0 || !TryNumber(number, out var value) || value * (1L << shift) is var total && (total < 1 || total > long.MaxValue))
        {
            return false;
        }

        bytes = (long)(value * (1L << shift));
        return true;
    }

    /// <summary>A size as it could be written, in the largest unit that leaves a whole number.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["B", "KB", "MB", "GB", "TB"];
        var unit = 0;
        while (unit < units.Length - 1 && bytes >= 1024 && bytes % 1024 == 0)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(CultureInfo.InvariantCulture) + units[unit];
    }

    /// <summary>A duration. A bare number is refused: seconds and milliseconds are mistaken for each other too easily.</summary>
    public static bool TryDuration(string text, out TimeSpan duration, out string fix)
    {
        fix = DurationFix;
        duration = default;
        var (number, unit) = Split(text);
        decimal ticks = unit switch
        {
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" => TimeSpan.TicksPerSecond,
            "m" or "min" => TimeSpan.TicksPerMinute,
            "h" => TimeSpan.TicksPerHour,
            _ => 0,
        };
        if (ticks == 0 || !TryNumber(number, out var value) || value > 1_000_000 || value * ticks < 1)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)(value * ticks));
        return true;
    }

    /// <summary>CPUs as a decimal number, in thousandths.</summary>
    public static bool TryCpus(string text, out int millis, out string fix)
    {
        fix = "write a number of CPUs from 0.01 to 1024, for example 1 or 0.5";
        millis = 0;
        if (!TryNumber(text, out var value) || value is < 0.01m or > 1024)
        {
            return false;
        }

        millis = (int)(value * 1000);
        return true;
    }

    /// <summary>A count of at least one.</summary>
    public static bool TryCount(string text, out int count, out string fix)
    {
        fix = "write a whole number of at least 1, for example 64";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count >= 1;
    }

    private static (string Number, string Unit) Split(string text)
    {
        var end = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        return (text[..end], text[end..].TrimStart(' '));
    }

    // At most 15 digits: beyond that the product with a unit could leave the range of decimal.
    private static bool TryNumber(string text, out decimal value)
    {
        value = 0;
        return text.Length is > 0 and <= 15 && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
    }
}
