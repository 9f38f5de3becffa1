using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>Which sandboxes a list asks for, read from its query.</summary>
internal static class SandboxQuery
{
    private const string MetadataPrefix = "metadata.";

    public static readonly Parameter[] Parameters =
    [
        new("state", "Only this state: creating, ready, ending or ended; may be given several times. Default: all but ended."),
        new("template", "Only this template."),
        new("metadata.KEY", "Only those whose label KEY has exactly this value; may be given for several labels."),
        new("limit", "How many at most. Default 100; 1 to 1,000.", "integer"),
        new("cursor", "The next_cursor of the page before."),
    ];

    public static SandboxFilter Read(HttpContext context)
    {
        var query = context.Request.Query;
        Dictionary<string, string>? labels = null;
        foreach (var (name, values) in query)
        {
            if (name.StartsWith(MetadataPrefix, StringComparison.Ordinal))
            {
                (labels ??= [])[name[MetadataPrefix.Length..]] = values is [{ } value]
                    ? value
                    : throw Problems.Bad("invalid_request", $"The query parameter '{name}' is given {values.Count} times.", "Give it once; a label has one value.");
            }
        }

        return new SandboxFilter
        {
            States = query["state"] is { Count: > 0 } states ? [.. states.Select(State)] : null,
            Template = (string?)query["template"],
            Metadata = labels,
            Limit = Number(context, "limit", new SandboxFilter().Limit),
            Cursor = (string?)query["cursor"],
        };
    }

    private static SandboxState State(string? text) => text switch
    {
        "creating" => SandboxState.Creating,
        "ready" => SandboxState.Ready,
        "ending" => SandboxState.Ending,
        "ended" => SandboxState.Ended,
        _ => throw Problems.Bad("invalid_request", $"The query parameter 'state' is '{text}'.", "Give creating, ready, ending or ended."),
    };
}
