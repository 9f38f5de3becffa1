using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cove.Server.Hosting;

/// <summary>What belongs at a path of a JSON document, such as <c>limits.memory_bytes</c> or <c>tools[0].name</c>.</summary>
internal static class JsonPlaces
{
    /// <summary>The type at a path; null where nothing is known of it.</summary>
    public static JsonTypeInfo? Find(JsonTypeInfo root, string path)
    {
        JsonTypeInfo? at = root;
        foreach (var step in Steps(path))
        {
            var next = at switch
            {
                { Kind: JsonTypeInfoKind.Object } => at.Properties.FirstOrDefault(property => property.Name == step)?.PropertyType,
                { Kind: JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary } => at.ElementType,
                _ => null,
            };
            if (next is null || !root.Options.TryGetTypeInfo(Nullable.GetUnderlyingType(next) ?? next, out at))
            {
                return null;
            }
        }

        return at;
    }

    /// <summary>The object that a field belongs to: the one at the path, or above it when the path ends with the field.</summary>
    public static JsonTypeInfo? Owner(JsonTypeInfo root, string path, string? field)
    {
        var steps = Steps(path).ToArray();
        return Find(root, field is not null && steps is [.., var last] && last == field ? Joined(steps[..^1]) : path);
    }

    /// <summary>What a value of a type looks like, to stand after "Give".</summary>
    public static string Words(JsonTypeInfo info) => info.Kind switch
    {
        JsonTypeInfoKind.Enumerable => "a list",
        JsonTypeInfoKind.Dictionary => "an object of names and values",
        JsonTypeInfoKind.Object => "an object",
        _ when info.Type.IsEnum => "one of " + string.Join(", ", Enum.GetValues(info.Type).Cast<object>().Select(value => JsonSerializer.SerializeToElement(value, info).GetString())),
        _ => Words(info.Type),
    };

    private static string Words(Type type) =>
        type == typeof(string) ? "a text in quotes"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number without quotes"
        : type == typeof(double) || type == typeof(decimal) ? "a number without quotes"
        : type == typeof(TimeSpan) ? "a number of milliseconds without quotes"
        : type == typeof(ReadOnlyMemory<byte>) || type == typeof(byte[]) ? "a text in base64"
        : type == typeof(SandboxId) || type == typeof(RunId) ? "an id of 1 to 40 characters of a-z and 0-9"
        : "what /docs shows for it";

    private static string Joined(IEnumerable<string> steps) => string.Concat(steps.Select(step => $"['{step}']"));

    /// <summary>The names and indexes of a path as System.Text.Json writes it: names behind dots, or in <c>['…']</c> when they hold anything but letters and digits.</summary>
    public static IEnumerable<string> Steps(string path)
    {
        for (var at = 0; at < path.Length;)
        {
            var quoted = path.AsSpan(at).StartsWith("['", StringComparison.Ordinal);
            var begin = quoted ? at + 2 : path[at] is '.' or '[' ? at + 1 : at;
            var end = quoted ? path.IndexOf("']", begin, StringComparison.Ordinal) : path.IndexOfAny(['.', '[', ']'], begin);
            end = end < 0 ? path.Length : end;
            yield return path[begin..end];
            at = Math.Min(path.Length, end + (quoted ? 2 : end < path.Length && path[end] == ']' ? 1 : 0));
        }
    }
}
