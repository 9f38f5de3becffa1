using System.Text.Json;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>Changes of a directory as they happen: NDJSON, or SSE for who accepts <c>text/event-stream</c>.</summary>
internal static class NativeWatches
{
    /// <summary>How often an event stream says that it is alive.</summary>
    private static readonly TimeSpan _heartbeat = TimeSpan.FromSeconds(15);

    public static async Task WatchAsync(HttpContext context, bool recursive, TimeProvider time)
    {
        var events = context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        await using var changes = context.Cove().WatchFilesAsync(Sandbox(context), Path(context), recursive, context.RequestAborted).GetAsyncEnumerator(CancellationToken.None);

        // Whatever is thrown before the watch stands still becomes a problem with its own status.
        var any = await changes.MoveNextAsync();
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = events ? "text/event-stream" : "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-store";
        while (any)
        {
            Write(context, changes.Current, events);
            var next = changes.MoveNextAsync().AsTask();
            if (!next.IsCompleted || context.Response.BodyWriter.UnflushedBytes > HeldAnswer.FreeBytes)
            {
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
                await BeatAsync(context, next, events, time);
            }

            any = await next;
        }
    }

    private static void Write(HttpContext context, FileChange change, bool events)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(change, CoveJson.Wire.FileChange);
        var writer = context.Response.BodyWriter;
        Put(writer, events ? "event: change\ndata: "u8 : []);
        Put(writer, body);
        Put(writer, events ? "\n\n"u8 : "\n"u8);
    }

    private static async Task BeatAsync(HttpContext context, Task next, bool events, TimeProvider time)
    {
        while (events && !next.IsCompleted)
        {
            using var beat = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            if (await Task.WhenAny(next, Task.Delay(_heartbeat, time, beat.Token)) != next)
            {
                Put(context.Response.BodyWriter, ": \n\n"u8);
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            }

            await beat.CancelAsync();
        }
    }

    private static void Put(System.IO.Pipelines.PipeWriter writer, ReadOnlySpan<byte> bytes) => System.Buffers.BuffersExtensions.Write(writer, bytes);
}
