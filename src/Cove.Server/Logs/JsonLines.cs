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
            json.WriteString("severity", Severity(line.Level));
            json.WriteString("time", line.Time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"));
            json.WriteString("message", LogLine.Cut(line.Message));
            json.WriteString("category", line.Category);
            json.WriteNumber("event_id", line.Event.Id);
            WriteContext(json, line);
            if (line.Exception is { } exception)
            {
                json.WriteString("exception", LogLine.Cut(exception.ToString()));
            }

            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private void WriteContext(Utf8JsonWriter json, in LogLine line)
    {
        if (line.CorrelationId is { } correlation)
        {
            json.WriteString("correlation_id", correlation);
        }

        if (line.TraceId is { } trace)
        {
            json.WriteString("logging.googleapis.com/trace", googleProject is null ? trace : $"projects/{googleProject}/traces/{trace}");
            json.WriteString("logging.googleapis.com/spanId", line.SpanId);
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
