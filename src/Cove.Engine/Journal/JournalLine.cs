using System.Buffers;
using System.Text.Json;
using Cove.Wire;

namespace Cove.Engine.Journal;

/// <summary>What a line of a journal holds.</summary>
internal enum JournalKind
{
    /// <summary>An event of a run.</summary>
    Run,

    /// <summary>Something that happened to the sandbox.</summary>
    Sandbox,

    /// <summary>What was known of the sandbox at that moment; each segment begins with it.</summary>
    Info,
}

/// <summary>One line of a journal as it was read. The payload is only decoded for who wants it.</summary>
internal readonly ref struct JournalLine
{
    private JournalLine(long sequence, RunId? run, JournalKind kind, ReadOnlySpan<byte> payload)
    {
        Sequence = sequence;
        Run = run;
        Kind = kind;
        Payload = payload;
    }

    /// <summary>Its place in the sandbox's journal. An <see cref="JournalKind.Info"/> has the number of the line before it.</summary>
    public long Sequence { get; }

    public RunId? Run { get; }

    public JournalKind Kind { get; }

    public ReadOnlySpan<byte> Payload { get; }

    public RunEvent RunEvent() => JsonSerializer.Deserialize(Payload, CoveJson.Wire.RunEvent) ?? throw new JsonException("An event is null.");

    public SandboxInfo SandboxInfo() => JsonSerializer.Deserialize(Payload, CoveJson.Wire.SandboxInfo) ?? throw new JsonException("An info is null.");

    /// <summary>What the line says of the sandbox; null for one that is a run's alone.</summary>
    public SandboxEvent? SandboxEvent() => Kind switch
    {
        JournalKind.Sandbox => JsonSerializer.Deserialize(Payload, CoveJson.Wire.SandboxEvent),
        JournalKind.Run when IsEdge(Payload) => JournalEvents.OfRun(Sequence, Run!.Value, RunEvent()),
        _ => null,
    };

    /// <summary>Writes a line. Each segment begins with an info, and so with the journal's <paramref name="owner"/>.</summary>
    public static void Write(WireBuffer line, long sequence, RunId? run, object content, string? owner = null)
    {
        var json = line.Json;
        json.WriteStartObject();
        json.WriteNumber("sequence"u8, sequence);
        if (run is { } id)
        {
            json.WriteString("run"u8, id.Value);
        }

        switch (content)
        {
            case RunEvent next:
                json.WritePropertyName("event"u8);
                RunWriter.Write(json, next);
                break;
            case SandboxEvent next:
                json.WritePropertyName("sandbox_event"u8);
                JsonSerializer.Serialize(json, next, CoveJson.Wire.SandboxEvent);
                break;
            case SandboxInfo info:
                if (owner is not null)
                {
                    json.WriteString("owner"u8, owner);
                }

                json.WritePropertyName("info"u8);
                JsonSerializer.Serialize(json, info, CoveJson.Wire.SandboxInfo);
                break;
            default:
                throw new ArgumentException($"A journal holds no {content.GetType().Name}.", nameof(content));
        }

        json.WriteEndObject();
        json.Flush();
        json.Reset(); // the next one is a text of its own
        line.Bytes.Write("\n"u8);
    }

    /// <summary>Whose journal begins so; null when that is nobody's in particular, or can't be read.</summary>
    public static string? Owner(ReadOnlySpan<byte> start)
    {
        try
        {
            var json = new Utf8JsonReader(start, isFinalBlock: false, default);
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName && !json.ValueTextEquals("info"u8))
            {
                var found = json.ValueTextEquals("owner"u8);
                if (!json.Read())
                {
                    return null;
                }

                if (found)
                {
                    return json.TokenType == JsonTokenType.String ? json.GetString() : null;
                }
            }
        }
        catch (JsonException)
        {
            // A disk may have lost part of it.
        }

        return null;
    }

    /// <summary>Reads a line without its end; false when it is none that a journal holds (a disk may have lost part of it).</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out JournalLine parsed)
    {
        parsed = default;
        try
        {
            return TryRead(line, ref parsed);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool TryRead(ReadOnlySpan<byte> line, ref JournalLine parsed)
    {
        var json = new Utf8JsonReader(line);
        long sequence = -1;
        RunId? run = null;
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            JournalKind? kind = json.ValueTextEquals("event"u8) ? JournalKind.Run
                : json.ValueTextEquals("sandbox_event"u8) ? JournalKind.Sandbox
                : json.ValueTextEquals("info"u8) ? JournalKind.Info : null;
            var (isSequence, isRun) = (json.ValueTextEquals("sequence"u8), json.ValueTextEquals("run"u8));
            json.Read();
            var from = (int)json.TokenStartIndex;
            if (isSequence && !json.TryGetInt64(out sequence))
            {
                return false;
            }

            if (isRun)
            {
                run = RunId.TryParse(json.GetString(), out var id) ? id : null;
            }

            json.Skip();
            if (kind is { } found && sequence >= 0 && (run is not null || found != JournalKind.Run))
            {
                parsed = new JournalLine(sequence, run, found, line[from..(int)json.BytesConsumed]);
                return true;
            }
        }

        return false;
    }

    /// <summary>The discriminator is written first: whether a run starts or ends here is seen without decoding its output.</summary>
    private static bool IsEdge(ReadOnlySpan<byte> payload) =>
        payload.StartsWith("""{"type":"started","""u8) || payload.StartsWith("""{"type":"completed","""u8);
}

/// <summary>What runs' events mean for their sandbox.</summary>
internal static class JournalEvents
{
    public static SandboxEvent? OfRun(long sequence, RunId run, RunEvent next) => next switch
    {
        RunStarted started => new SandboxEvent { Sequence = sequence, Time = next.Time, Type = "run_started", Run = run, Kernel = started.Kernel },
        RunCompleted completed => new SandboxEvent { Sequence = sequence, Time = next.Time, Type = "run_completed", Run = run, Outcome = completed.Result.Outcome },
        _ => null,
    };
}
