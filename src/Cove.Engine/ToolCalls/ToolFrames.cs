using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cove.Engine.Guest;

namespace Cove.Engine.ToolCalls;

/// <summary>What the engine says on a run's host channel, with the prefix that makes it a frame.</summary>
internal static class ToolFrames
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The tools a run may call: the channel's first frame.</summary>
    public static ReadOnlyMemory<byte> Tools(string nonce, IReadOnlyList<HostTool> tools, int maxCalls) => Frame(json =>
    {
        json.WriteString("t"u8, "host_tools"u8);
        json.WriteString("run"u8, nonce);
        json.WriteNumber("max_calls"u8, maxCalls);
        json.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, tool.Name);
            json.WriteString("python"u8, PythonNames.Of(tool.Name));
            json.WriteString("description"u8, tool.Description ?? "");
            if (tool.InputSchema is { } schema)
            {
                json.WritePropertyName("schema"u8);
                schema.WriteTo(json);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>The answer of one call.</summary>
    public static ReadOnlyMemory<byte> Answer(string nonce, int call, HostAnswer answer) => Frame(json =>
    {
        json.WriteString("t"u8, "host_answer"u8);
        json.WriteString("run"u8, nonce);
        json.WriteNumber("call"u8, call);
        if (answer.Error is { } error)
        {
            json.WriteStartObject("error"u8);
            json.WriteString("category"u8, error.Category);
            json.WriteString("message"u8, error.Message);
            json.WriteBoolean("retryable"u8, error.Retryable);
            json.WriteEndObject();
        }
        else
        {
            json.WritePropertyName("result"u8);
            answer.Result.WriteTo(json);
        }
    });

    /// <summary>What a value takes in a frame.</summary>
    public static long Bytes(JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, Options);
        value.WriteTo(json);
        json.Flush();
        return buffer.WrittenCount;
    }

    private static ReadOnlyMemory<byte> Frame(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        buffer.Write(stackalloc byte[Frames.PrefixBytes]);
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        json.Flush();
        var frame = buffer.WrittenMemory.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - Frames.PrefixBytes);
        return frame;
    }
}
