using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cove.Client;

/// <summary>An answer that is a line of JSON for each event, as it arrives.</summary>
internal sealed class EventLines(HttpResponseMessage response, Stream body) : IAsyncDisposable
{
    /// <summary>Longer than any event an engine sends (16 MiB of display data, as JSON): what is longer is no event.</summary>
    private const int MaximumLineBytes = 128 << 20;

    private readonly PipeReader _reader = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 64 * 1024));

    /// <summary>The next event; null at the end of an answer that ended as it should.</summary>
    public async ValueTask<T?> NextAsync<T>(JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            var read = await _reader.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var next = Parse(read.Buffer.Slice(0, end), type);
                _reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return next;
            }

            if (read.IsCompleted)
            {
                return read.Buffer.IsEmpty ? null : throw new IOException("the stream ended in the middle of an event");
            }

            if (read.Buffer.Length > MaximumLineBytes)
            {
                throw new InvalidDataException("an event is longer than any engine sends");
            }

            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public async ValueTask DisposeAsync()
    {
        response.Dispose();
        await _reader.CompleteAsync();
    }

    private static T Parse<T>(ReadOnlySequence<byte> line, JsonTypeInfo<T> type)
    {
        var json = new Utf8JsonReader(line);
        return JsonSerializer.Deserialize(ref json, type) ?? throw new JsonException("An event is null.");
    }
}
