using System.Text.Json;

namespace Cove.Engine.Guest;

/// <summary>Reads JSON of hostile origin field by field. Whatever is not as expected is a <see cref="JsonException"/>; nothing is converted or guessed.</summary>
internal static class StrictJson
{
    public delegate bool FieldReader<TFields>(ref Utf8JsonReader reader, ref TFields fields, scoped ReadOnlySpan<char> name);

    private const int MaxNameChars = 256;

    /// <summary>Reads one object. <paramref name="field"/> consumes the value of a field it knows and returns true; others are skipped.</summary>
    public static void ReadObject<TFields>(ref Utf8JsonReader reader, ref TFields fields, FieldReader<TFields> field)
    {
        Require(reader.Read() && reader.TokenType == JsonTokenType.StartObject);
        ReadFields(ref reader, ref fields, field);
    }

    /// <summary>Reads an object whose start is the next token, inside another.</summary>
    public static void ReadFields<TFields>(ref Utf8JsonReader reader, ref TFields fields, FieldReader<TFields> field)
    {
        Span<char> name = stackalloc char[MaxNameChars];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            // Escapes can only shrink a name, so the raw length bounds the copy.
            Require(reader.ValueSpan.Length <= MaxNameChars);
            var length = reader.CopyString(name);
            Require(reader.Read());
            if (!field(ref reader, ref fields, name[..length]))
            {
                reader.Skip();
            }
        }

        Require(reader.TokenType == JsonTokenType.EndObject);
    }

    /// <summary>Nothing may follow the object.</summary>
    public static void ExpectEnd(ref Utf8JsonReader reader) => Require(!reader.Read());

    public static string String(ref Utf8JsonReader reader, int maxChars)
    {
        var text = Text(ref reader);
        Require(text.Length <= maxChars);
        return text;
    }

    /// <summary>A string that is cut to <paramref name="maxChars"/> when it is longer.</summary>
    public static string Cut(ref Utf8JsonReader reader, int maxChars)
    {
        var text = Text(ref reader);
        return text.Length <= maxChars ? text : text[..(char.IsHighSurrogate(text[maxChars - 1]) ? maxChars - 1 : maxChars)] + "…";
    }

    /// <summary>A string of any length; the frame bounds it.</summary>
    public static string Text(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.String);
        return reader.GetString()!;
    }

    public static int Int32(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out _));
        return reader.GetInt32();
    }

    public static long Int64(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out _));
        return reader.GetInt64();
    }

    public static bool Boolean(ref Utf8JsonReader reader)
    {
        Require(reader.TokenType is JsonTokenType.True or JsonTokenType.False);
        return reader.TokenType == JsonTokenType.True;
    }

    public static void Require(bool holds)
    {
        if (!holds)
        {
            throw new JsonException();
        }
    }
}
