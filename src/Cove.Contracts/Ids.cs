using System.Text.Json.Serialization;
using System.Text.Json;

namespace Cove;

/// <summary>Names a sandbox: opaque, lowercase letters and digits only, so that it fits in a host name.</summary>
[JsonConverter(typeof(SandboxIdConverter))]
public readonly record struct SandboxId(string Value)
{
    /// <summary>A new id of 20 characters (100 bits).</summary>
    public static SandboxId New() => new("s" + Ids.Random(19));

    /// <summary>Accepts 1 to 40 characters of <c>a-z0-9</c>; anything else is refused.</summary>
    public static bool TryParse(string? text, out SandboxId id)
    {
        id = new(text ?? "");
        return Ids.IsWellFormed(text);
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>Names one run of one sandbox.</summary>
[JsonConverter(typeof(RunIdConverter))]
public readonly record struct RunId(string Value)
{
    /// <summary>A new id of 20 characters (100 bits).</summary>
    public static RunId New() => new("r" + Ids.Random(19));

    /// <summary>Accepts 1 to 40 characters of <c>a-z0-9</c>; anything else is refused.</summary>
    public static bool TryParse(string? text, out RunId id)
    {
        id = new(text ?? "");
        return Ids.IsWellFormed(text);
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}

internal static class Ids
{
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyz23456789"; // 32 letters: 5 bits each, none mistaken for another

    public static string Random(int length) => string.Create(length, 0, static (letters, _) =>
    {
        Span<byte> drawn = stackalloc byte[letters.Length];
        Entropy.Fill(drawn);
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = Alphabet[drawn[i] % Alphabet.Length]; // 32 divides 256: every letter is as likely
        }
    });

    public static bool IsWellFormed(string? text)
    {
        if (text is not { Length: >= 1 and <= 40 })
        {
            return false;
        }

        foreach (var c in text)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9')))
            {
                return false;
            }
        }

        return true;
    }
}

internal sealed class SandboxIdConverter : JsonConverter<SandboxId>
{
    public override SandboxId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        SandboxId.TryParse(reader.GetString(), out var id) ? id : throw new JsonException("A sandbox id is 1 to 40 characters of a-z and 0-9.");

    public override void Write(Utf8JsonWriter writer, SandboxId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}

internal sealed class RunIdConverter : JsonConverter<RunId>
{
    public override RunId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        RunId.TryParse(reader.GetString(), out var id) ? id : throw new JsonException("A run id is 1 to 40 characters of a-z and 0-9.");

    public override void Write(Utf8JsonWriter writer, RunId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
