using System.Text.Json;
using Cove.Engine.Sandboxes;

namespace Cove.Engine.ToolCalls;

/// <summary>Checks what a run's request says about tools, and what callers answer. Pure.</summary>
internal static class ToolRules
{
    public const int MaxTools = 128;
    public const int MaxSchemaBytes = 64 << 10;
    public const int MaxResultBytes = 1_000_000;
    public const int DefaultCalls = 100;
    private const int MaxDescriptionBytes = 16 << 10;
    private const int MaxBytes = 512 << 10;
    private const int MaxCalls = 10_000;
    private const int MaxMessageBytes = 64 << 10;

    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Whether the run can call tools at all.</summary>
    public static bool HasTools(RunRequest request) => request.Tools is { Count: > 0 };

    /// <summary>Throws for the first fault of what a request for code says about tools.</summary>
    public static void Check(RunRequest request)
    {
        if (!HasTools(request))
        {
            RefuseWithoutTools("tool_call_timeout_ms", request.ToolCallTimeout);
            RefuseWithoutTools("max_tool_calls", request.MaxToolCalls);
            return;
        }

        if (request.Language != Language.Python)
        {
            throw Refusals.InvalidRequest("tools", $"{request.Tools!.Count} tools for {request.Language}", "them for code in Python, or leave them out; no other kernel can call tools");
        }

        if (request.ToolCallTimeout is { } timeout)
        {
            SandboxRules.Span("tool_call_timeout_ms", timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(24));
        }

        if (request.MaxToolCalls is < 1 or > MaxCalls)
        {
            throw Refusals.InvalidRequest("max_tool_calls", request.MaxToolCalls, $"1 to {MaxCalls:N0}");
        }

        Tools(request.Tools!);
    }

    /// <summary>Throws for an answer that no guest can be given.</summary>
    public static void Check(HostAnswer answer)
    {
        var hasResult = answer.Result.ValueKind != JsonValueKind.Undefined;
        if (hasResult == answer.Error is not null)
        {
            throw Refusals.InvalidRequest("result, error", hasResult ? "both" : "none", "one of them; a tool that has nothing to say answers with the result null");
        }

        if (hasResult && !ToolArguments.HoldsText(answer.Result))
        {
            throw Refusals.InvalidRequest("result", null, "valid text; it holds half of a surrogate pair, which has no UTF-8");
        }

        if (hasResult && ToolFrames.Bytes(answer.Result) is > MaxResultBytes and var bytes)
        {
            throw Refusals.InvalidRequest("result", $"{bytes} bytes", $"at most {MaxResultBytes:N0} bytes; write more to a file in the sandbox and answer with its path");
        }

        if (answer.Error is { } error)
        {
            Failure(error);
        }
    }

    /// <summary>An answer with what it leaves out.</summary>
    public static HostAnswer Whole(HostAnswer answer) =>
        answer.Error is { Category: null } error ? answer with { Error = error with { Category = "unavailable" } } : answer;

    private static void Failure(HostFailure error)
    {
        if (error.Category is { } category && !(category.Length is >= 1 and <= 40 && category.All(c => char.IsAsciiLetterLower(c) || c == '_')))
        {
            throw Refusals.InvalidRequest("error.category", category, "1 to 40 characters of a-z and '_', for example unavailable");
        }

        if (error.Message is null || !Texts.IsValid(error.Message) || Texts.Bytes(error.Message) > MaxMessageBytes)
        {
            throw Refusals.InvalidRequest("error.message", null, $"valid text of at most {MaxMessageBytes >> 10} KiB");
        }
    }

    private static void Tools(IReadOnlyList<HostTool> tools)
    {
        if (tools.Count > MaxTools)
        {
            throw Refusals.InvalidRequest("tools", $"{tools.Count} tools", $"at most {MaxTools}; declare those that the code needs");
        }

        var names = new Dictionary<string, string>();
        long bytes = 0;
        for (var i = 0; i < tools.Count; i++)
        {
            var tool = tools[i] ?? throw Refusals.InvalidRequest($"tools[{i}]", "null", "a tool with a name");
            Name(i, tool.Name);
            if (!names.TryAdd(PythonNames.Of(tool.Name), tool.Name))
            {
                throw Refusals.InvalidRequest($"tools[{i}].name", tool.Name, $"it another name; in Python it would be '{PythonNames.Of(tool.Name)}', as '{names[PythonNames.Of(tool.Name)]}' is");
            }

            bytes += Description(i, tool.Description) + Schema(i, tool.InputSchema);
        }

        if (bytes > MaxBytes)
        {
            throw Refusals.InvalidRequest("tools", $"{bytes} bytes of descriptions and schemas", $"at most {MaxBytes >> 10} KiB in all; declare fewer tools or describe them more briefly");
        }
    }

    private static void Name(int index, string? name)
    {
        if (!HostTool.IsName(name))
        {
            throw Refusals.InvalidRequest($"tools[{index}].name", name ?? "null", "a letter or '_' and up to 63 of A-Z, a-z, 0-9, '_' and '-', not beginning with two underscores");
        }
    }

    private static long Description(int index, string? description)
    {
        if (description is null)
        {
            return 0;
        }

        if (!Texts.IsValid(description) || Texts.Bytes(description) > MaxDescriptionBytes)
        {
            throw Refusals.InvalidRequest($"tools[{index}].description", null, $"valid text of at most {MaxDescriptionBytes >> 10} KiB");
        }

        return Texts.Bytes(description);
    }

    private static long Schema(int index, JsonElement? schema)
    {
        if (schema is not { } given)
        {
            return 0;
        }

        if (given.ValueKind != JsonValueKind.Object || !ToolArguments.HoldsText(given)
            || (given.TryGetProperty("properties", out var properties) && properties.ValueKind != JsonValueKind.Object)
            || (given.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && !type.ValueEquals("object")))
        {
            throw Refusals.InvalidRequest($"tools[{index}].input_schema", null, "a JSON Schema of an object, with its arguments under 'properties'");
        }

        return ToolFrames.Bytes(given) is <= MaxSchemaBytes and var bytes
            ? bytes
            : throw Refusals.InvalidRequest($"tools[{index}].input_schema", null, $"a schema of at most {MaxSchemaBytes >> 10} KiB");
    }

    private static void RefuseWithoutTools(string field, object? value)
    {
        if (value is not null)
        {
            throw Refusals.InvalidRequest(field, null, "it only together with tools, or leave it out");
        }
    }
}
