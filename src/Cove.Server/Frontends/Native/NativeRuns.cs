using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Cove.Server.Hosting;
using Cove.Server.Telemetry;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes of runs. Events stream as NDJSON; a connection that drops cancels its run.</summary>
internal static class NativeRuns
{
    /// <summary>While events are at hand they share a flush, up to this much: output at full speed costs no system call a line.</summary>
    private const int FlushBytes = 64 * 1024;

    private static readonly byte[] NewLine = "\n"u8.ToArray();

    public static void Map(Routes routes)
    {
        routes.Post("/v1/sandboxes/{sandbox}/runs", new Operation("run", "Runs code or a command and streams what happens.") { Needs = Scopes.Write, Starts = true, Body = typeof(RunRequest), Answer = typeof(RunEvent), AnswerTypes = ["application/x-ndjson"] }, async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.RunRequest);
            await StreamAsync(context, context.Cove(), Sandbox(context), request.CorrelationId is null ? request with { CorrelationId = context.CorrelationId() } : request);
        });
        routes.Post("/v1/sandboxes/{sandbox}/runs/{run}/interrupt", new Operation("interruptRun", "Interrupts a run, keeping the kernel's state.") { Needs = Scopes.Write, Status = 204 }, async context =>
        {
            await context.Cove().InterruptRunAsync(Sandbox(context), Run(context), context.RequestAborted);
            await NoContent(context);
        });
        routes.Post("/v1/sandboxes/{sandbox}/runs/{run}/kill", new Operation("killRun", "Kills a run; a kernel's state is lost.") { Needs = Scopes.Write, Status = 204 }, async context =>
        {
            await context.Cove().KillRunAsync(Sandbox(context), Run(context), context.RequestAborted);
            await NoContent(context);
        });
    }

    private static async Task StreamAsync(HttpContext context, ICove cove, SandboxId sandbox, RunRequest request)
    {
        await using var events = cove.RunAsync(sandbox, request, context.RequestAborted).GetAsyncEnumerator(CancellationToken.None);

        // Whatever is thrown before the first event still becomes a problem with its own status.
        var any = await events.MoveNextAsync();
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "application/x-ndjson";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Encoder = CoveJson.Wire.Options.Encoder });
        while (any)
        {
            if (!context.RequestAborted.IsCancellationRequested)
            {
                Write(context.Response.BodyWriter, json, events.Current);
            }

            // A caller that hung up has cancelled the run; it is still read to its end, so that it has one.
            var next = events.MoveNextAsync();
            if (!next.IsCompleted || context.Response.BodyWriter.UnflushedBytes > FlushBytes)
            {
                await FlushAsync(context);
            }

            any = await next;
        }

        await FlushAsync(context);
    }

    private static void Write(PipeWriter body, Utf8JsonWriter json, RunEvent next)
    {
        JsonSerializer.Serialize(json, next, CoveJson.Wire.RunEvent);
        json.Flush();
        json.Reset();
        body.Write(NewLine);
    }

    private static async ValueTask FlushAsync(HttpContext context)
    {
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
