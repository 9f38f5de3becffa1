using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Models;

/// <summary>One block of an answer, as its pieces come; and the block as it is sent back.</summary>
internal sealed class AnthropicBlock(JsonElement start)
{
    private readonly string _type = AnthropicStream.Text(start, "type") ?? "";
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _input = new();
    private readonly StringBuilder _signature = new();
    private readonly List<JsonElement> _citations = [];
    private JsonElement? _parsed;
    private bool _isParsed;
    private bool _ended;

    /// <summary>What the block began with.</summary>
    public IReadOnlyList<AIContent> Begin()
    {
        _text.Append(AnthropicStream.Text(start, _type == "thinking" ? "thinking" : "text"));
        _signature.Append(AnthropicStream.Text(start, "signature"));
        return Piece(_text.ToString());
    }

    public IReadOnlyList<AIContent> Take(JsonElement delta, Action<int> count)
    {
        switch (AnthropicStream.Text(delta, "type"))
        {
            case "text_delta":
                return Piece(Append(_text, delta, "text", count));
            case "thinking_delta":
                return Piece(Append(_text, delta, "thinking", count));
            case "signature_delta":
                Append(_signature, delta, "signature", count);
                return [];
            case "input_json_delta":
                Append(_input, delta, "partial_json", count);
                return [];
            case "citations_delta" when AnthropicStream.Object(delta, "citation") is { } citation:
                count(citation.GetRawText().Length);
                _citations.Add(citation.Clone());
                return [];
            default:
                return [];
        }
    }

    /// <summary>What only its end shows; nothing the second time.</summary>
    public IReadOnlyList<AIContent> End()
    {
        if (_ended)
        {
            return [];
        }

        _ended = true;
        return _type switch
        {
            "text" => [],
            "thinking" => [new TextReasoningContent("") { ProtectedData = _signature.ToString() }],
            "tool_use" => [Call()],
            _ => [new AIContent { RawRepresentation = Write([this])[0].Clone() }],
        };
    }

    /// <summary>Blocks as they are sent back: unchanged, but without texts that are empty, which are not taken.</summary>
    public static JsonElement Write(IEnumerable<AnthropicBlock> blocks)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var block in blocks.Where(block => block._type != "text" || block._text.Length > 0))
            {
                block.Write(json);
            }

            json.WriteEndArray();
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var property in start.EnumerateObject().Where(property => property.Name is not ("text" or "thinking" or "signature" or "input" or "citations")))
        {
            property.WriteTo(json);
        }

        if (_type is "text" or "thinking")
        {
            json.WriteString(_type, _text.ToString());
        }

        if (_type is "thinking")
        {
            json.WriteString("signature", _signature.ToString());
        }

        if (_citations.Count > 0)
        {
            json.WriteStartArray("citations");
            _citations.ForEach(citation => citation.WriteTo(json));
            json.WriteEndArray();
        }

        if (start.TryGetProperty("input", out _) || _input.Length > 0)
        {
            json.WritePropertyName("input");
            Input().WriteTo(json);
        }

        json.WriteEndObject();
    }

    private FunctionCallContent Call()
    {
        var (id, name) = (AnthropicStream.Text(start, "id") ?? "", AnthropicStream.Text(start, "name") ?? "");
        return Parsed() is { } input
            ? new FunctionCallContent(id, name, input.EnumerateObject().GroupBy(property => property.Name).ToDictionary(same => same.Key, object? (same) => same.Last().Value))
            : new FunctionCallContent(id, name) { Exception = new JsonException("it is no JSON object") };
    }

    /// <summary>The input; what is no JSON object is sent back in the form that the API's documentation gives for it.</summary>
    private JsonElement Input() => Parsed() ?? Invalid();

    /// <summary>The input; null when it is no JSON object. One that never came is an empty one.</summary>
    private JsonElement? Parsed()
    {
        if (!_isParsed)
        {
            _isParsed = true;
            _parsed = _input.Length == 0 ? AnthropicStream.Object(start, "input") ?? JsonElement.Parse("{}") : Parse(_input.ToString());
        }

        return _parsed;
    }

    private JsonElement Invalid()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("INVALID_JSON", _input.ToString());
            json.WriteEndObject();
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    private static JsonElement? Parse(string input)
    {
        try
        {
            var parsed = JsonElement.Parse(input);
            return parsed.ValueKind is JsonValueKind.Object ? parsed : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private IReadOnlyList<AIContent> Piece(string text) => text.Length == 0 ? [] : _type switch
    {
        "text" => [new TextContent(text)],
        "thinking" => [new TextReasoningContent(text)],
        _ => [],
    };

    private static string Append(StringBuilder to, JsonElement delta, string name, Action<int> count)
    {
        var text = AnthropicStream.Text(delta, name) ?? "";
        count(text.Length);
        to.Append(text);
        return text;
    }
}
