using System.Text.Json;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cove.Server.Frontends.Native;

/// <summary>The forms in which events are answered.</summary>
internal enum AnswerForm
{
    /// <summary>A line of JSON for each event.</summary>
    Lines,

    /// <summary>Server-sent events.</summary>
    ServerSent,

    /// <summary>One JSON object when all is over.</summary>
    Whole,
}

/// <summary>Which form the caller wants, and the streams in it.</summary>
internal static class RunAnswers
{
    /// <summary>What runs can be answered as.</summary>
    public static readonly string[] Types = ["application/x-ndjson", "text/event-stream", "application/json"];

    /// <summary>Reads the Accept header: the form it likes best, NDJSON when it says nothing or anything; a refusal when it wants none of them.</summary>
    public static AnswerForm Form(HttpContext context, bool whole)
    {
        var accept = context.Request.Headers.Accept;
        if (accept is [var only] && Of(only, whole) is { } plain)
        {
            return plain; // as most say it: nothing to weigh
        }

        if (accept.Count == 0 || !MediaTypeHeaderValue.TryParseList(accept, out var wanted))
        {
            return AnswerForm.Lines;
        }

        foreach (var type in wanted.Where(t => t.Quality != 0).OrderByDescending(t => t.Quality ?? 1))
        {
            if (Of(type.MediaType.Value, whole) is { } form)
            {
                return form;
            }
        }

        throw new BadHttpRequestException(
            $"The Accept header names no media type that this call answers with; use one of {string.Join(", ", whole ? Types : Types[..2])}.", StatusCodes.Status406NotAcceptable);
    }

    /// <summary>What a media type asks for; null for one that is not answered with.</summary>
    private static AnswerForm? Of(string? type, bool whole) => type switch
    {
        "*/*" or "application/*" or "application/x-ndjson" => AnswerForm.Lines,
        "text/event-stream" or "text/*" => AnswerForm.ServerSent,
        "application/json" when whole => AnswerForm.Whole,
        _ => null,
    };

    /// <summary>The sequence after which to read: of the <c>Last-Event-ID</c> of a stream that reconnects, else of the query.</summary>
    public static long After(HttpContext context)
    {
        var id = (string?)context.Request.Headers["Last-Event-ID"];
        var (name, text) = string.IsNullOrEmpty(id) ? ("after", (string?)context.Request.Query["after"]) : ("Last-Event-ID", id);
        return text is null ? 0
            : long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var after) ? after
            : throw Problems.Bad("invalid_request", $"'{name}' is '{text}'.", "Give the sequence of the last event that arrived, or 0.");
    }

    public static EventStream<RunEvent> Runs(HttpContext context, AnswerForm form) =>
        new(context, RunWriter.Write, static e => (e.Sequence, RunNames.Of(e).Value), form == AnswerForm.ServerSent);

    public static EventStream<SandboxEvent> Sandboxes(HttpContext context, AnswerForm form) =>
        new(context, static (json, e) => JsonSerializer.Serialize(json, e, CoveJson.Wire.SandboxEvent), static e => (e.Sequence, e.Type), form == AnswerForm.ServerSent);

    /// <summary>Answers with a run that is over, in one object.</summary>
    public static Task WriteWholeAsync(HttpContext context, FinishedRun run)
    {
        context.Response.Headers.CacheControl = "no-store";
        return NativeWire.WriteAsync(context, Json(run));
    }

    private static byte[] Json(FinishedRun run)
    {
        using var buffer = WireBuffer.Take();
        RunWriter.Write(buffer.Json, run);
        buffer.Json.Flush();
        return buffer.Bytes.WrittenSpan.ToArray();
    }

    /// <summary>The error of a first event that is a refusal.</summary>
    public static RunError? Refusal(RunEvent first) => first is RunCompleted { Result: { Outcome: RunOutcome.Refused, Error: { } error } } ? error : null;
}
