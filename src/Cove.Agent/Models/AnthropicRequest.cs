using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Models;

/// <summary>A conversation as the body of a request to the Messages API.</summary>
internal static class AnthropicRequest
{
    public static Dictionary<string, JsonElement> Write(IReadOnlyList<ChatMessage> messages, ChatOptions? asked, AnthropicModelOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", asked?.ModelId ?? options.Model);
            json.WriteNumber("max_tokens", asked?.MaxOutputTokens ?? options.MaxOutputTokens);
            if (options.CachePrompts)
            {
                json.WriteStartObject("cache_control");
                json.WriteString("type", "ephemeral");
                json.WriteEndObject();
            }

            var leading = messages.TakeWhile(message => message.Role == ChatRole.System).Count();
            WriteSystem(json, asked?.Instructions, messages.Take(leading));
            json.WritePropertyName("messages");
            AnthropicMessages.Write(json, messages.Skip(leading));
            WriteTools(json, asked, options);
            WriteStops(json, asked);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => property.Value.Clone());
    }

    private static void WriteSystem(Utf8JsonWriter json, string? instructions, IEnumerable<ChatMessage> leading)
    {
        var texts = leading.Select(message => message.Text).Prepend(instructions).Where(text => !string.IsNullOrWhiteSpace(text)).ToList();
        if (texts.Count > 0)
        {
            json.WriteString("system", string.Join("\n\n", texts));
        }
    }

    private static void WriteTools(Utf8JsonWriter json, ChatOptions? asked, AnthropicModelOptions options)
    {
        if (asked?.Tools is not { Count: > 0 } tools)
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (var tool in tools)
        {
            WriteTool(json, tool, options);
        }

        json.WriteEndArray();
        WriteChoice(json, asked);
    }

    private static void WriteTool(Utf8JsonWriter json, AITool tool, AnthropicModelOptions options)
    {
        if (options.ToolForm?.Invoke(tool) is { } form)
        {
            form.WriteTo(json);
            return;
        }

        if (tool is not AIFunctionDeclaration function)
        {
            throw ModelFailures.Make(ModelFailureKind.BadRequest, $"The tool '{tool.Name}' ({tool.GetType().Name}) has no form the Messages API knows.");
        }

        json.WriteStartObject();
        json.WriteString("name", function.Name);
        if (function.Description.Length > 0)
        {
            json.WriteString("description", function.Description);
        }

        json.WritePropertyName("input_schema");
        function.JsonSchema.WriteTo(json);
        json.WriteEndObject();
    }

    private static void WriteChoice(Utf8JsonWriter json, ChatOptions asked)
    {
        var single = asked.AllowMultipleToolCalls == false;
        var (type, name) = asked.ToolMode switch
        {
            NoneChatToolMode => ("none", null),
            RequiredChatToolMode { RequiredFunctionName: { } required } => ("tool", required),
            RequiredChatToolMode => ("any", null),
            _ => ("auto", (string?)null),
        };
        if (type == "auto" && !single)
        {
            return;
        }

        json.WriteStartObject("tool_choice");
        json.WriteString("type", type);
        if (name is not null)
        {
            json.WriteString("name", name);
        }

        if (single && type != "none")
        {
            json.WriteBoolean("disable_parallel_tool_use", true);
        }

        json.WriteEndObject();
    }

    private static void WriteStops(Utf8JsonWriter json, ChatOptions? asked)
    {
        if (asked?.StopSequences is { Count: > 0 } stops)
        {
            json.WriteStartArray("stop_sequences");
            foreach (var stop in stops)
            {
                json.WriteStringValue(stop);
            }

            json.WriteEndArray();
        }
    }
}
