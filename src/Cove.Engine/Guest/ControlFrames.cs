using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cove.Engine.Guest;

/// <summary>What the engine says to a kernel on its control link.</summary>
internal static class ControlFrames
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static ReadOnlyMemory<byte> Configure(IReadOnlyDictionary<string, string> environment, string directory, long? softMemoryBytes, string seed, bool rehearse = false)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        writer.WriteString("t"u8, "configure"u8);
        writer.WriteStartObject("env"u8);
        foreach (var (name, value) in environment)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.WriteString("cwd"u8, directory);
        if (softMemoryBytes is { } bytes)
        {
            writer.WriteNumber("soft_memory_bytes"u8, bytes);
        }
        else
        {
            writer.WriteNull("soft_memory_bytes"u8);
        }

        writer.WriteString("seed"u8, seed);
        if (rehearse)
        {
            writer.WriteBoolean("rehearse"u8, true);
        }

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static ReadOnlySpan<byte> Stray => ",\"stray\":true"u8;

    /// <summary>
    /// An <c>execute</c> frame; null when it would be larger than a frame may be. Written by hand: Utf8JsonWriter escapes
    /// every character outside the basic plane to twelve bytes, which would refuse code that fits.
    /// </summary>
    /// <param name="nonce">32 hex digits.</param>
    /// <param name="code">The code.</param>
    /// <param name="host">Whether the run has a fourth channel, on which the host answers.</param>
    /// <param name="stray">Whether an interrupt of the run before may still be unnoticed by the kernel.</param>
    public static ReadOnlyMemory<byte>? Execute(string nonce, string code, bool host = false, bool stray = false)
    {
        var utf8 = ArrayPool<byte>.Shared.Rent(Utf8.GetMaxByteCount(code.Length));
        try
        {
            var length = Utf8.GetBytes(code, utf8);
            var buffer = new ArrayBufferWriter<byte>(length + (length / 8) + 96);
            buffer.Write("{\"t\":\"execute\",\"run\":\""u8);
            Encoding.ASCII.GetBytes(nonce, buffer);
            buffer.Write("\",\"code\":\""u8);
            WriteEscaped(buffer, utf8.AsSpan(0, length));
            buffer.Write("\""u8);
            buffer.Write(host ? ",\"host\":true"u8 : []);
            buffer.Write(stray ? Stray : []);
            buffer.Write("}"u8);
            var limit = Frames.MaxBodyBytes - (stray ? 0 : Stray.Length); // whether code fits must not depend on what ran before it
            return buffer.WrittenCount <= limit ? buffer.WrittenMemory : (ReadOnlyMemory<byte>?)null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(utf8);
        }
    }

    private static void WriteEscaped(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> utf8)
    {
        while (!utf8.IsEmpty)
        {
            var plain = 0;
            while (plain < utf8.Length && utf8[plain] is >= 0x20 and not ((byte)'"' or (byte)'\\'))
            {
                plain++;
            }

            buffer.Write(utf8[..plain]);
            if (plain == utf8.Length)
            {
                return;
            }

            WriteEscape(buffer, utf8[plain]);
            utf8 = utf8[(plain + 1)..];
        }
    }

    private static void WriteEscape(ArrayBufferWriter<byte> buffer, byte value)
    {
        switch (value)
        {
            case (byte)'"': buffer.Write("\\\""u8); break;
            case (byte)'\\': buffer.Write("\\\\"u8); break;
            case (byte)'\n': buffer.Write("\\n"u8); break;
            case (byte)'\r': buffer.Write("\\r"u8); break;
            case (byte)'\t': buffer.Write("\\t"u8); break;
            default:
                buffer.Write("\\u00"u8);
                buffer.Write([Hex(value >> 4), Hex(value & 15)]);
                break;
        }
    }

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
}
