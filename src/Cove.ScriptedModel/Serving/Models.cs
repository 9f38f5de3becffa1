using System.Text.Json.Nodes;

namespace Cove.ScriptedModel.Serving;

/// <summary>The models that are told of. Any other name is answered too: a script plays whatever model it is asked for.</summary>
internal static class Models
{
    private static readonly string[] Ids = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"];

    public static JsonObject List() => new()
    {
        ["data"] = new JsonArray([.. Ids.Select(One)]),
        ["first_id"] = Ids[0],
        ["has_more"] = false,
        ["last_id"] = Ids[^1],
    };

    public static JsonObject One(string id) => new()
    {
        ["type"] = "model",
        ["id"] = id,
        ["display_name"] = $"{id} (scripted)",
        ["created_at"] = "2026-01-01T00:00:00Z",
        ["capabilities"] = null,
        ["deprecated_at"] = null,
        ["lifecycle"] = "active",
        ["line"] = null,
        ["max_input_tokens"] = 200_000,
        ["max_tokens"] = 64_000,
        ["retires_at"] = null,
    };
}
