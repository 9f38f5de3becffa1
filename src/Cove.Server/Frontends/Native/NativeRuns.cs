using Cove.Server.Access.Idempotency;
using Cove.Server.Hosting;
using Cove.Server.Telemetry;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes of runs. A run goes on when its stream breaks, and can be read on from any event, unless its caller asked for the contrary.</summary>
internal static class NativeRuns
{
    private static readonly Parameter[] _start =
    [
        new("background", "true: answer 202 with what is known of the run once it was admitted, and let it go on. Default false.", "boolean"),
        new("on_disconnect", "What becomes of the run when the caller hangs up: keep (default) or interrupt."),
    ];

    private static readonly Parameter[] _resume = [new("after", "The sequence of the last event that arrived. Default 0: from the first.", "integer")];

    private static readonly Parameter[] _lastEvent = [new("Last-Event-ID", "The same as after, as browsers' event sources send it; it goes before the query.")];

    public static void Map(Routes routes)
    {
        MapStart(routes);
        MapReading(routes);
        NativeToolCalls.Map(routes);
        routes.Post("/v1/sandboxes/{sandbox}/runs/{run}/stdin", new Operation("writeStdin", "Writes to the standard input of a command started with keep_stdin_open.")
        {
            Needs = Scopes.Write,
            Status = 204,
            RawBody = "application/octet-stream",
            Query = [new("close", "true: the input ends with these bytes, of which there may be none. Default false.", "boolean")],
        }, async context =>
        {
            var input = await ReadRawAsync(context, MaximumStdinBytes);
            await context.Cove().WriteStdinAsync(Sandbox(context), Run(context), input, Flag(context, "close", false), context.RequestAborted);
            await NoContent(context);
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

    private static void MapStart(Routes routes) => routes.Post("/v1/sandboxes/{sandbox}/runs", new Operation("run", "Runs code or a command and answers with what happens.")
    {
        Needs = Scopes.Write,
        Starts = true,
        Headers = [IdempotencyKey.Parameter],
        Description = "As a stream of events (NDJSON, or server-sent events) or as one object (application/json), by the Accept header. A run that is refused answers with its error; one that was admitted answers 200 however it ends.",
        Body = typeof(RunRequest),
        Query = _start,
        Answer = typeof(RunEvent),
        Whole = typeof(FinishedRun),
        AnswerTypes = RunAnswers.Types,
        OtherAnswers = [NativeToolCalls.Waiting],
    }, StartAsync);

    private static void MapReading(Routes routes)
    {
        routes.Get("/v1/sandboxes/{sandbox}/runs", new Operation("listRuns", "The runs of a sandbox, the newest first; at most the last 1,000.") { Needs = Scopes.Read, Answer = typeof(RunList) }, async context =>
            await WriteAsync(context, new RunList(await context.Cove().ListRunsAsync(Sandbox(context), context.RequestAborted)), CoveJson.Wire.RunList));
        routes.Get("/v1/sandboxes/{sandbox}/runs/{run}", new Operation("getRun", "What is known of a run.") { Needs = Scopes.Read, Answer = typeof(RunInfo) }, async context =>
            await WriteAsync(context, await context.Cove().GetRunAsync(Sandbox(context), Run(context), context.RequestAborted), CoveJson.Wire.RunInfo));
        routes.Get("/v1/sandboxes/{sandbox}/runs/{run}/events", new Operation("readRun", "The events of a run from any of them on, and then as they happen; the last one is completed.")
        {
            Needs = Scopes.Read,
            Query = _resume,
            Headers = _lastEvent,
            Answer = typeof(RunEvent),
            AnswerTypes = RunAnswers.Types[..2],
        }, context =>
        {
            var form = RunAnswers.Form(context, whole: false);
            var events = context.Cove().ReadRunAsync(Sandbox(context), Run(context), RunAnswers.After(context), context.RequestAborted);
            return RunAnswers.Runs(context, form).SendAsync(events);
        });
    }

    private static async Task StartAsync(HttpContext context)
    {
        var (sandbox, form, background) = (Sandbox(context), RunAnswers.Form(context, whole: true), Flag(context, "background", false));
        var interrupts = Choice(context, "on_disconnect", "keep", "interrupt");
        var request = await ReadAsync(context, CoveJson.Wire.RunRequest);
        request = request.CorrelationId is null ? request with { CorrelationId = context.CorrelationId() } : request;
        if (interrupts && !background)
        {
            if (form == AnswerForm.Whole && request.Tools is { Count: > 0 })
            {
                throw Problems.Bad("invalid_request", "The query parameter 'on_disconnect' is 'interrupt', but a run with tools that is answered as one object hangs up at each call.", "Leave it out, or ask for a stream of events.");
            }

            await InterruptibleAsync(context, sandbox, form, request);
            return;
        }

        // Deaf to a caller that hangs up: what was asked for is begun, and its events are there to be read.
        var run = await context.Cove().StartRunAsync(sandbox, request, CancellationToken.None);
        if (background)
        {
            context.Response.Headers.Location = $"/v1/sandboxes/{sandbox}/runs/{run.Id}";
            await WriteAsync(context, run, CoveJson.Wire.RunInfo, StatusCodes.Status202Accepted);
            return;
        }

        if (form == AnswerForm.Whole && request.Tools is { Count: > 0 })
        {
            await NativeToolCalls.TellAsync(context, sandbox, run.Id);
            return;
        }

        var events = context.Cove().ReadRunAsync(sandbox, run.Id, 0, context.RequestAborted);
        if (form == AnswerForm.Whole)
        {
            await RunAnswers.WriteWholeAsync(context, await events.CollectAsync(sandbox, CancellationToken.None));
            return;
        }

        await RunAnswers.Runs(context, form).SendAsync(events);
    }

    /// <summary>A run that lives no longer than its caller listens. One that is hung up on is still read to its end, so that it has one.</summary>
    private static async Task InterruptibleAsync(HttpContext context, SandboxId sandbox, AnswerForm form, RunRequest request)
    {
        var events = context.Cove().RunAsync(sandbox, request, HangUp.TokenOf(context));
        if (form != AnswerForm.Whole)
        {
            await RunAnswers.Runs(context, form).SendAsync(events, toEnd: true, RunAnswers.Refusal);
            return;
        }

        var report = await events.CollectAsync(sandbox, CancellationToken.None);
        await RunAnswers.WriteWholeAsync(context, report.Run is null && report.Result is { Outcome: RunOutcome.Refused, Error: { } error } ? throw new CoveException(error) : report);
    }
}
