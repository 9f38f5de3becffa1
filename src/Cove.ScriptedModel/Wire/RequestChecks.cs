using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cove.ScriptedModel.Wire;

/// <summary>Refuses what the real API refuses, in its words, so that a client that would fail there fails here.</summary>
internal static partial class RequestChecks
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "stop_sequences", "metadata", "thinking", "service_tier", "container", "cache_control",
        "context_management", "output_config", "output_format", "mcp_servers", "inference_geo", "speed", "diagnostics", "user_profile_id", "workspace_id", "betas", "thread",
    };

    /// <summary>What the version of October 2026 took away.</summary>
    private static readonly string[] Sampling = ["temperature", "top_p", "top_k"];

    public static void Check(JsonElement request, bool newest, bool counting)
    {
        if (request.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid("Input should be a valid dictionary");
        }

        Fields(request, newest, counting);
        if (request.TryGetProperty("thread", out var thread) && thread.ValueKind == JsonValueKind.Object)
        {
            throw ApiException.Invalid("thread: message threads are not supported for this request", "thread_unsupported_request");
        }

        ToolChecks.Check(request);
        MessageChecks.Check(request.GetProperty("messages"), newest);
        var offers = request.TryGetProperty("tools", out var tools) && tools.ValueKind == JsonValueKind.Array && tools.GetArrayLength() > 0;
        if (!offers && MessageChecks.SpeaksOfTools(request.GetProperty("messages")))
        {
            throw ApiException.Invalid("Requests which include `tool_use` or `tool_result` blocks must define tools");
        }
    }

    private static void Fields(JsonElement request, bool newest, bool counting)
    {
        var strange = request.EnumerateObject().Select(p => p.Name).FirstOrDefault(name => !(Known.Contains(name) || (!newest && Sampling.Contains(name, StringComparer.Ordinal))));
        if (strange is not null)
        {
            throw ApiException.Invalid($"{strange}: Extra inputs are not permitted");
        }

        Required(request, "model", JsonValueKind.String, "string");
        Required(request, "messages", JsonValueKind.Array, "list");
        if (counting)
        {
            return;
        }

        Required(request, "max_tokens", JsonValueKind.Number, "integer");
        if (!request.GetProperty("max_tokens").TryGetInt64(out var most) || most < 1)
        {
            throw ApiException.Invalid("max_tokens: Input should be greater than or equal to 1");
        }

        if (request.TryGetProperty("stream", out var stream) && stream.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            throw ApiException.Invalid("stream: Input should be a valid boolean");
        }

        if (request.TryGetProperty("system", out var system) && system.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            throw ApiException.Invalid("system: Input should be a valid string or list");
        }
    }

    private static void Required(JsonElement request, string name, JsonValueKind kind, string what)
    {
        if (!request.TryGetProperty(name, out var value))
        {
            throw ApiException.Invalid($"{name}: Field required");
        }

        if (value.ValueKind != kind)
        {
            throw ApiException.Invalid($"{name}: Input should be a valid {what}");
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,128}$", RegexOptions.ExplicitCapture, 1000)]
    public static partial Regex ToolName();
}
