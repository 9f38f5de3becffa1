using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Logs;

/// <summary>
/// A JSON object a line, with the names Cloud Logging reads: <c>severity</c>, <c>message</c>, <c>time</c>, trace and span. JSON escapes every control
/// character, so a message can never look like a line of its own.
/// </summary>
internal sealed class JsonLines(string? googleProject) : ILogFormat
{
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    public byte[] Format(in LogLine line)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, _options))
        {
            json.WriteStartObject();
            json.WriteString("severity"u8, Severity(line.Level));
            WriteTime(json, line.Time);
            json.WriteString("message"u8, LogLine.Cut(line.Message));
            json.WriteString("category"u8, line.Category);
            json.WriteNumber("event_id"u8, line.Event.Id);
            WriteContext(json, line);
            if (line.Exception is { } exception)
            {
                json.WriteString("exception"u8, LogLine.Cut(exception.ToString()));
            }

            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>In microseconds; the runtime's own form has a digit more.</summary>
    private static void WriteTime(Utf8JsonWriter json, DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[28];
        time.UtcDateTime.TryFormat(text, out _, "O");
        text[26] = (byte)'Z';
        json.WriteString("time"u8, text[..27]);
    }

    private void WriteContext(Utf8JsonWriter json, in LogLine line)
    {
        if (line.CorrelationId is { } correlation)
        {
            json.WriteString("correlation_id"u8, correlation);
        }

        if (line.TraceId is { } trace)
        {
            json.WriteString("logging.googleapis.com/trace"u8, googleProject is null ? trace : $"projects/{googleProject}/traces/{trace}");
            json.WriteString("logging.googleapis.com/spanId"u8, line.SpanId);
        }
    }

    private static string Severity(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO",
        LogLevel.Warning => "WARNING",
        LogLevel.Error => "ERROR",
        LogLevel.Critical => "CRITICAL",
        _ => "DEFAULT",
    };
}
