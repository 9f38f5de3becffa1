using System.Buffers;
using System.Text.Json;

namespace Cove.Wire;

/// <summary>A buffer and its writer, kept by each thread for its next text: for JSON that is written and made use of in one go.</summary>
internal sealed class WireBuffer : IDisposable
{
    /// <summary>A larger one is not kept: a picture came by.</summary>
    private const int KeptBytes = 256 << 10;

    [ThreadStatic]
    private static WireBuffer? _kept;

    private WireBuffer() => Json = new Utf8JsonWriter(Bytes, new JsonWriterOptions { Encoder = CoveJson.Wire.Options.Encoder, SkipValidation = true });

    public ArrayBufferWriter<byte> Bytes { get; } = new(1024);

    /// <summary>Writes into <see cref="Bytes"/>, escaping as the wire does. What it wrote is there once it was flushed.</summary>
    public Utf8JsonWriter Json { get; }

    /// <summary>This thread's, empty; it is given back by disposing of it, on the same thread.</summary>
    public static WireBuffer Take()
    {
        var buffer = _kept ?? new WireBuffer();
        _kept = null;
        return buffer;
    }

    public void Dispose()
    {
        Bytes.Clear(); // what runs said does not lie about in memory
        Json.Reset();
        _kept = Bytes.Capacity <= KeptBytes ? this : null;
    }
}
