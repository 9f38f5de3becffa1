using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove;

/// <summary>A span of time as a number of milliseconds, fractions allowed; the unit is in the property's name.</summary>
internal sealed class MillisecondsConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out var milliseconds)
            || !double.IsFinite(milliseconds) || Math.Abs(milliseconds) > TimeSpan.MaxValue.TotalMilliseconds / 2)
        {
            throw new JsonException("A time span is a number of milliseconds.");
        }

        // Through ticks: FromMilliseconds(double) would do, but a whole number must come back as the same whole number.
        return TimeSpan.FromTicks((long)Math.Round(milliseconds * TimeSpan.TicksPerMillisecond));
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => Write(writer, value);

    public static void Write(Utf8JsonWriter writer, TimeSpan value)
    {
        if (value.Ticks % TimeSpan.TicksPerMillisecond == 0)
        {
            writer.WriteNumberValue(value.Ticks / TimeSpan.TicksPerMillisecond);
        }
        else
        {
            writer.WriteNumberValue(value.TotalMilliseconds);
        }
    }
}

/// <summary>A moment as RFC 3339 in UTC, ending in <c>Z</c>; other offsets are accepted and converted.</summary>
internal sealed class Rfc3339Converter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var time)
            ? time.ToUniversalTime()
            : throw new JsonException("A time is written as RFC 3339, for example 2026-11-20T08:00:00Z.");

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => Write(writer, value);

    /// <summary>The writer's own form of a moment in UTC is this: as many digits of a second as it has, and a <c>Z</c>.</summary>
    public static void Write(Utf8JsonWriter writer, DateTimeOffset value) => writer.WriteStringValue(value.UtcDateTime);
}

/// <summary>An enum as <c>snake_case</c> text; numbers are refused.</summary>
internal sealed class SnakeCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
