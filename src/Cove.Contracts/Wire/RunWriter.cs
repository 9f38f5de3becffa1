using System.Text.Json;

namespace Cove.Wire;

/// <summary>
/// Writes runs' events, and whole runs, byte for byte as <see cref="CoveJson.Wire"/> does, field by field instead of through descriptions of types: an event of a short run
/// took the serializer longer than the disk. What is rare (errors, calls of tools) is left to it. Reading is its own altogether.
/// </summary>
internal static class RunWriter
{
    /// <summary>Writes an event as one of the closed set, its type first.</summary>
    public static void Write(Utf8JsonWriter json, RunEvent next)
    {
        if (next is RunToolCall or RunToolAnswered)
        {
            JsonSerializer.Serialize(json, next, CoveJson.Wire.RunEvent);
            return;
        }

        json.WriteStartObject();
        json.WriteString(RunNames.Type, RunNames.Of(next));
        WriteFields(json, next);
        json.WriteEndObject();
    }

    /// <summary>Writes a whole run.</summary>
    public static void Write(Utf8JsonWriter json, FinishedRun run)
    {
        json.WriteStartObject();
        if (run.Run is { } id)
        {
            json.WriteString(RunNames.Run, id.Value);
        }

        json.WriteString(RunNames.Sandbox, run.Sandbox.Value);
        WriteText(json, RunNames.CorrelationId, run.CorrelationId);
        WriteResult(json, run.Result);
        json.WriteString(RunNames.Stdout, run.Stdout);
        json.WriteString(RunNames.Stderr, run.Stderr);
        WriteAll(json, RunNames.Displays, run.Displays);
        WriteAll(json, RunNames.Notices, run.Notices);
        json.WriteEndObject();
    }

    /// <summary>Writes events of one kind, which therefore don't say which.</summary>
    private static void WriteAll(Utf8JsonWriter json, JsonEncodedText name, IReadOnlyList<RunEvent> events)
    {
        json.WriteStartArray(name);
        for (var i = 0; i < events.Count; i++)
        {
            json.WriteStartObject();
            WriteFields(json, events[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFields(Utf8JsonWriter json, RunEvent next)
    {
        switch (next)
        {
            case RunStarted started:
                WriteStarted(json, started);
                break;
            case RunOutput output:
                json.WriteString(RunNames.Stream, output.Stream == OutputStream.Stdout ? RunNames.Stdout : RunNames.Stderr);
                json.WriteString(RunNames.Text, output.Text);
                break;
            case RunDisplay display:
                WriteDisplay(json, display);
                break;
            case RunNotice notice:
                json.WriteString(RunNames.Code, notice.Code);
                json.WriteString(RunNames.Message, notice.Message);
                break;
            case RunCompleted completed:
                WriteResult(json, completed.Result);
                break;
        }

        json.WriteNumber(RunNames.Sequence, next.Sequence);
        json.WritePropertyName(RunNames.Time);
        Rfc3339Converter.Write(json, next.Time);
    }

    private static void WriteStarted(Utf8JsonWriter json, RunStarted started)
    {
        json.WriteString(RunNames.Run, started.Run.Value);
        json.WriteString(RunNames.Sandbox, started.Sandbox.Value);
        WriteText(json, RunNames.Kernel, started.Kernel);
        WriteText(json, RunNames.CorrelationId, started.CorrelationId);
    }

    private static void WriteDisplay(Utf8JsonWriter json, RunDisplay display)
    {
        json.WriteBoolean(RunNames.IsResult, display.IsResult);
        json.WriteStartObject(RunNames.Data);
        foreach (var (type, content) in display.Data)
        {
            json.WriteString(type, content);
        }

        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, RunResult result)
    {
        json.WriteStartObject(RunNames.Result);
        json.WriteString(RunNames.Outcome, RunNames.Of(result.Outcome));
        WriteNumber(json, RunNames.ExitCode, result.ExitCode);
        if (result.Error is { } error)
        {
            json.WritePropertyName(RunNames.Error);
            JsonSerializer.Serialize(json, error, CoveJson.Wire.RunError);
        }

        WriteSpan(json, RunNames.DurationMs, result.Duration);
        WriteSpan(json, RunNames.ToolWaitMs, result.ToolWait);
        WriteNumber(json, RunNames.ToolCalls, result.ToolCalls);
        json.WriteBoolean(RunNames.StateLost, result.StateLost);
        WriteNumber(json, RunNames.PeakMemoryBytes, result.PeakMemoryBytes);
        WriteSpan(json, RunNames.CpuThrottledMs, result.CpuThrottled);
        json.WriteNumber(RunNames.StdoutBytes, result.StdoutBytes);
        json.WriteNumber(RunNames.StderrBytes, result.StderrBytes);
        WriteIsolation(json, result.Isolation);
        json.WriteEndObject();
    }

    private static void WriteIsolation(Utf8JsonWriter json, IsolationTier isolation)
    {
        json.WriteStartObject(RunNames.Isolation);
        json.WriteString(RunNames.Backend, isolation.Backend);
        json.WriteString(RunNames.Privilege, isolation.Privilege);
        json.WriteStartArray(RunNames.Degraded);
        for (var i = 0; i < isolation.Degraded.Count; i++)
        {
            json.WriteStringValue(isolation.Degraded[i]);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, JsonEncodedText name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, JsonEncodedText name, long? number)
    {
        if (number is { } known)
        {
            json.WriteNumber(name, known);
        }
    }

    private static void WriteSpan(Utf8JsonWriter json, JsonEncodedText name, TimeSpan? span)
    {
        if (span is { } known)
        {
            json.WritePropertyName(name);
            MillisecondsConverter.Write(json, known);
        }
    }
}
