using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cove.Server.Hosting;

/// <summary>
/// Says in the caller's words what is wrong with JSON that did not fit, and what would be right. The reader's own messages name types of this program; of them only
/// the kind of fault and the caller's own names are taken.
/// </summary>
internal static class JsonFaults
{
    private const string Unknown = "The JSON property '";
    private const string Missing = "required properties including: ";
    private const string Twice = "Duplicate property '";
    private const int MostShown = 100;

    /// <summary>What is wrong, naming the field, and what would be right.</summary>
    /// <param name="subject">What was read, at the beginning of a sentence: "The body".</param>
    /// <param name="failure">What the reader said.</param>
    /// <param name="type">What it should have been.</param>
    /// <param name="json">What was read, or its beginning: the value that is wrong is shown from it.</param>
    public static (string Message, string Fix) Explain(string subject, JsonException failure, JsonTypeInfo type, ReadOnlySpan<byte> json)
    {
        var text = failure.Message;
        var path = failure.Path is { Length: > 1 } whole ? whole[1..].TrimStart('.') : "";
        if (text.StartsWith(Unknown, StringComparison.Ordinal) && Quoted(text, Unknown) is { } unknown)
        {
            return ($"{subject} has a field '{Shown(unknown)}', which this call does not take.", Known(JsonPlaces.Owner(type, path, unknown)));
        }

        if (text.StartsWith(Twice, StringComparison.Ordinal) && Quoted(text, Twice) is { } twice)
        {
            return ($"{subject} has the field '{Shown(twice)}' twice.", "Give it once.");
        }

        if (text.IndexOf(Missing, StringComparison.Ordinal) is >= 0 and var at)
        {
            return ($"{subject} lacks the field {Shown(Names(text[(at + Missing.Length)..]))}.", Known(JsonPlaces.Owner(type, path, null)));
        }

        // What is no JSON is told of at the last value that was read, which need not be wrong.
        var seen = failure.InnerException is JsonException || JsonValues.Shown(json, path) is not { } value ? ", or breaks off there." : $": {value}.";
        return path.Length > 0 && JsonPlaces.Find(type, path) is { } place
            ? ($"{subject} has a value at '{Shown(path)}' that is not {JsonPlaces.Words(place)}{seen}", $"Give {JsonPlaces.Words(place)}.")
            : path.Length > 0 ? ($"{subject} has a value at '{Shown(path)}' that this call does not take{seen}", "Correct it.")
            : ($"{subject} is not one JSON object, or not JSON at all.", $"Give one JSON object. {Known(type)}");
    }

    private static string Known(JsonTypeInfo? type) => type is { Properties.Count: > 0 } ? $"Known here: {string.Join(", ", type.Properties.Select(property => property.Name))}." : "Leave it out.";

    /// <summary>The name between the quotes of which <paramref name="before"/> ends with the first.</summary>
    private static string? Quoted(string text, string before) =>
        text.IndexOf("' ", before.Length, StringComparison.Ordinal) is >= 0 and var end ? text[before.Length..end] : null;

    /// <summary>The names of a list as the reader writes it: <c>'a', 'b'.</c></summary>
    private static string Names(string list) => list.Split(" Path:")[0].TrimEnd('.', ' ');

    private static string Shown(string name) => name.Length <= MostShown ? name : name[..MostShown] + "…";
}
