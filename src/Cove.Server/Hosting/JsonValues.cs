using System.Globalization;
using System.Text.Json;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;

namespace Cove.Server.Hosting;

/// <summary>A value that a caller sent, as an error about it shows it: short, and never one that may be a secret, since errors are logged and passed on.</summary>
internal static class JsonValues
{
    private const int MostShown = 100;

    /// <summary>Parts of names of fields whose values may be secret, or hold one.</summary>
    private static readonly string[] _private =
        ["env", "header", "cookie", "auth", "secret", "token", "password", "credential", "key", "argv", "command", "shell", "stdin", "content", "result", "answer"];

    /// <summary>What is at a path of a document; null when it may be secret, or is not there whole.</summary>
    /// <param name="json">The document, or its beginning.</param>
    /// <param name="path">A path as <see cref="JsonPlaces"/> reads it.</param>
    public static string? Shown(ReadOnlySpan<byte> json, string path)
    {
        var steps = JsonPlaces.Steps(path).ToArray();
        if (steps.Length == 0 || steps.Any(step => _private.Any(part => step.Contains(part, StringComparison.OrdinalIgnoreCase))))
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(json, isFinalBlock: false, default);
            return reader.Read() && Find(ref reader, steps) ? Words(ref reader) : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null; // no JSON up to there, or a string that is no text
        }
    }

    private static bool Find(ref Utf8JsonReader reader, string[] steps)
    {
        foreach (var step in steps)
        {
            if (!Enter(ref reader, step))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>From the beginning of an object or a list to the value of a name or an index in it.</summary>
    private static bool Enter(ref Utf8JsonReader reader, string step)
    {
        var isList = reader.TokenType == JsonTokenType.StartArray;
        if (!isList && reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        for (var index = 0; reader.Read() && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject); index++)
        {
            var isIt = isList ? step == index.ToString(CultureInfo.InvariantCulture) : reader.ValueTextEquals(step);
            if (!isList && !reader.Read())
            {
                return false;
            }

            if (isIt)
            {
                return true;
            }

            if (!reader.TrySkip())
            {
                return false;
            }
        }

        return false;
    }

    private static string Words(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => $"\"{Short(reader.GetString()!)}\"",
        JsonTokenType.Number => Short(System.Text.Encoding.ASCII.GetString(reader.ValueSpan)),
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        _ => "null",
    };

    private static string Short(string text) => Excerpts.OneLine(LikelyKeys.Redact(text), MostShown);
}
