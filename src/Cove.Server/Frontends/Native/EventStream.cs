using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Cove.Server.Bounds;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Cove.Server.Frontends.Native;

/// <summary>
/// Sends events as they come: a line of JSON each, or server-sent events with their sequence as id. An idle stream holds a timer (of
/// server-sent events alone) and nothing else of its own.
/// </summary>
internal sealed class EventStream<T>(HttpContext context, Action<Utf8JsonWriter, T> write, Func<T, (long Sequence, string Type)> describe, bool asServerSent)
    where T : class
{
    /// <summary>While events are at hand they share a flush, up to this much: output at full speed costs no system call a line.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>So that proxies and clients notice when the other end is gone.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>How long an answer waits for its first event before it begins without.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500);

    private TimeProvider Time => context.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System;

    /// <summary>Sends all of them. Whatever is thrown before the first one still becomes a problem with a status of its own.</summary>
    /// <param name="events">The events.</param>
    /// <param name="toEnd">Whether to read on to the last one when the caller has hung up.</param>
    /// <param name="refusal">What the first event refuses, if it does.</param>
    public async Task SendAsync(IAsyncEnumerable<T> events, bool toEnd = false, Func<T, RunError?>? refusal = null)
    {
        await using var reader = events.GetAsyncEnumerator(CancellationToken.None);
        var next = reader.MoveNextAsync();
        var first = next.IsCompleted ? null : next.AsTask();
        if (first is not null && refusal is null)
        {
            // Mostly it is there at once, or an error is; who reads what is idle gets the head of the answer without it.
            await Task.WhenAny(first, Task.Delay(FirstWait, Time, context.RequestAborted));
        }

        var any = false;
        if (first is null || first.IsCompleted || refusal is not null)
        {
            any = first is null ? await next : await first;
            first = null;
            if (any && refusal?.Invoke(reader.Current) is { } error)
            {
                throw new CoveException(error);
            }
        }

        Begin(context, asServerSent);
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Encoder = CoveJson.Wire.Options.Encoder });
        if (first is not null)
        {
            any = await WaitAsync(first);
        }

        await PumpAsync(reader, json, any, toEnd);
        await FlushAsync();
    }

    /// <summary>Sends event after event, many in one flush while more are at hand.</summary>
    private async Task PumpAsync(IAsyncEnumerator<T> reader, Utf8JsonWriter json, bool any, bool toEnd)
    {
        while (any && (toEnd || !context.RequestAborted.IsCancellationRequested))
        {
            if (!context.RequestAborted.IsCancellationRequested)
            {
                Write(context.Response.BodyWriter, json, reader.Current);
            }

            var following = reader.MoveNextAsync();
            if (following.IsCompleted && context.Response.BodyWriter.UnflushedBytes <= FlushBytes)
            {
                any = await following;
                continue;
            }

            if (following.IsCompleted)
            {
                await FlushAsync();
                await Task.Yield(); // this thread reads the connection as well: only when it is let go it hears that the caller hung up
                any = await following;
            }
            else
            {
                any = await WaitAsync(following.AsTask());
            }
        }
    }

    /// <summary>What every stream says of itself.</summary>
    private static void Begin(HttpContext context, bool asServerSent)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = asServerSent ? "text/event-stream" : "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>Sends what is written, and then signs of life until there is more.</summary>
    private async Task<bool> WaitAsync(Task<bool> next)
    {
        await FlushAsync();
        if (!asServerSent)
        {
            return await next;
        }

        using var timer = new PeriodicTimer(Heartbeat, Time);
        var tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
        while (await Task.WhenAny(next, tick) != next)
        {
            context.Response.BodyWriter.Write(": alive\n\n"u8);
            await FlushAsync();
            tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
        }

        return await next;
    }

    private void Write(PipeWriter body, Utf8JsonWriter json, T next)
    {
        if (asServerSent)
        {
            var (sequence, name) = describe(next);
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {sequence}\nevent: {name}\ndata: "), body);
        }

        write(json, next); // JSON escapes line ends: an event is one line of data
        json.Flush();
        json.Reset();
        body.Write(asServerSent ? "\n\n"u8 : "\n"u8);
    }

    private async ValueTask FlushAsync()
    {
        // An event can be large (a picture): what waits for a slow reader is counted, and where there is no room the stream is cut, to be taken up again.
        if (!HeldAnswer.TryHold(context, context.Response.BodyWriter.UnflushedBytes, out var held))
        {
            context.Abort();
            return;
        }

        using var room = held;
        try
        {
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException)
        {
            // Hung up: RequestAborted is set, or is about to be.
        }
    }
}
