using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Models;

/// <summary>Messages as the Messages API takes them: results of tools are said by the user, first and in one message.</summary>
internal static class AnthropicMessages
{
    public static void Write(Utf8JsonWriter json, IEnumerable<ChatMessage> messages)
    {
        json.WriteStartArray();
        string? open = null;
        foreach (var message in messages.Where(HasContent))
        {
            var role = message.Role == ChatRole.Assistant ? "assistant" : message.Role == ChatRole.System ? "system" : "user";

            // What follows results belongs to the same message; two answers in a row stay two: the first was paused.
            if (open is not null && (open != role || role != "user"))
            {
                End(json);
                open = null;
            }

            if (open is null)
            {
                json.WriteStartObject();
                json.WriteString("role", role);
                json.WriteStartArray("content");
                open = role;
            }

            WriteContents(json, message);
        }

        if (open is not null)
        {
            End(json);
        }

        json.WriteEndArray();
    }

    private static void End(Utf8JsonWriter json)
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A message without content is refused; a model that said nothing has none.</summary>
    private static bool HasContent(ChatMessage message) => message.RawRepresentation is WholeMessage whole
        ? whole.Content.GetArrayLength() > 0
        : message.Contents.Any(content => content is not (UsageContent or TextContent) || content is TextContent { Text.Length: > 0 });

    private static void WriteContents(Utf8JsonWriter json, ChatMessage message)
    {
        if (message.RawRepresentation is WholeMessage whole)
        {
            foreach (var block in whole.Content.EnumerateArray())
            {
                block.WriteTo(json);
            }

            return;
        }

        foreach (var content in message.Contents.OrderBy(content => content is FunctionResultContent ? 0 : 1))
        {
            AnthropicBlocks.Write(json, content);
        }
    }
}

/// <summary>Blocks of messages.</summary>
internal static class AnthropicBlocks
{
    public static void Write(Utf8JsonWriter json, AIContent content)
    {
        switch (content)
        {
            case { RawRepresentation: JsonElement { ValueKind: JsonValueKind.Object } raw } when content.GetType() == typeof(AIContent):
                raw.WriteTo(json);
                break;
            case TextContent text:
                WriteText(json, text.Text);
                break;
            case TextReasoningContent { ProtectedData: { } signature } reasoning:
                json.WriteStartObject();
                json.WriteString("type", "thinking");
                json.WriteString("thinking", reasoning.Text);
                json.WriteString("signature", signature);
                json.WriteEndObject();
                break;
            case FunctionCallContent call:
                WriteCall(json, call);
                break;
            case FunctionResultContent result:
                WriteResult(json, result);
                break;
            case DataContent data:
                WriteData(json, data);
                break;
            default:
                // Reasoning without its signature, usage: nothing the API takes back.
                break;
        }
    }

    private static void WriteText(Utf8JsonWriter json, string text)
    {
        if (text.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("type", "text");
            json.WriteString("text", text);
            json.WriteEndObject();
        }
    }

    private static void WriteCall(Utf8JsonWriter json, FunctionCallContent call)
    {
        json.WriteStartObject();
        json.WriteString("type", "tool_use");
        json.WriteString("id", call.CallId);
        json.WriteString("name", call.Name);
        json.WritePropertyName("input");
        ToolInput.From(call.Arguments ?? new Dictionary<string, object?>()).WriteTo(json);
        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, FunctionResultContent result)
    {
        json.WriteStartObject();
        json.WriteString("type", "tool_result");
        json.WriteString("tool_use_id", result.CallId);
        json.WriteStartArray("content");
        foreach (var content in CallResult.From(result.Result).Content)
        {
            // A failed result is taken with text alone.
            if (result.Exception is not null && content is DataContent left)
            {
                WriteText(json, $"[{left.MediaType}, {left.Data.Length} bytes: not shown, because the call failed]");
            }
            else
            {
                Write(json, content);
            }
        }

        json.WriteEndArray();
        if (result.Exception is not null)
        {
            json.WriteBoolean("is_error", true);
        }

        json.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter json, DataContent data)
    {
        var kind = data.MediaType switch
        {
            "image/png" or "image/jpeg" or "image/gif" or "image/webp" => "image",
            "application/pdf" => "document",
            _ => null,
        };
        if (kind is null)
        {
            WriteText(json, $"[{data.MediaType}, {data.Data.Length} bytes: not shown]");
            return;
        }

        json.WriteStartObject();
        json.WriteString("type", kind);
        json.WriteStartObject("source");
        json.WriteString("type", "base64");
        json.WriteString("media_type", data.MediaType);
        json.WriteBase64String("data", data.Data.Span);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
