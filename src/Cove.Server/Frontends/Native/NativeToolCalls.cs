using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>Runs that pause for tools of their caller's: it is told what is called, posts the results, and is told what came of it.</summary>
internal static class NativeToolCalls
{
    private const int MaximumResults = 128;

    /// <summary>How long calls made together have to arrive together: those of one gather are told in one answer, as a rule.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(5);

    public static readonly OtherAnswer Waiting = new(
        StatusCodes.Status202Accepted, "The run waits for the results of tool calls: post them to its tool-results. (With background=true: what is known of the run.)", typeof(WaitingRun));

    public static void Map(Routes routes) => routes.Post("/v1/sandboxes/{sandbox}/runs/{run}/tool-results", new Operation("answerToolCalls", "Answers tool calls of a run, which then goes on.")
    {
        Needs = Scopes.Write,
        Description = "Answers with the finished run, or with 202 and the calls that wait then. The results are taken in their order, up to the first that is refused; a call is answered once.",
        Body = typeof(ToolResults),
        Query = [new("wait", "false: answer 204 once the results were taken, for callers that follow the run's events. Default true.", "boolean")],
        Answer = typeof(FinishedRun),
        OtherAnswers = [Waiting, new OtherAnswer(StatusCodes.Status204NoContent, "With wait=false: the results were taken.", null)],
    }, AnswerAsync);

    /// <summary>Answers with the run once it ended, or once it waits for tools.</summary>
    public static async Task TellAsync(HttpContext context, SandboxId sandbox, RunId run)
    {
        var (cove, hangup) = (context.Cove(), context.RequestAborted);
        if (await UntilItWaitsAsync(cove, sandbox, run, hangup) is { PendingToolCalls: { } pending } info)
        {
            var waiting = new WaitingRun { Run = run, Sandbox = sandbox, PendingToolCalls = pending, LastSequence = info.LastSequence };
            context.Response.Headers.CacheControl = "no-store";
            await WriteAsync(context, waiting, CoveJson.Wire.WaitingRun, StatusCodes.Status202Accepted);
            return;
        }

        await RunAnswers.WriteWholeAsync(context, await cove.ReadRunAsync(sandbox, run, 0, hangup).CollectAsync(sandbox, CancellationToken.None));
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        var (sandbox, run, wait) = (Sandbox(context), Run(context), Flag(context, "wait", true));
        await TakeAsync(context, sandbox, run);
        await (wait ? TellAsync(context, sandbox, run) : NoContent(context));
    }

    /// <summary>Hands the results to the run. They count as held until then, and are not kept while the run goes on, which may be for long.</summary>
    private static async Task TakeAsync(HttpContext context, SandboxId sandbox, RunId run)
    {
        await using var body = BoundedBody.Of(context);
        var results = (await ReadAsync(context, body, CoveJson.Wire.ToolResults)).Results;
        if (results.Count is 0 or > MaximumResults)
        {
            throw Problems.Bad("invalid_request", $"The field 'results' has {results.Count} answers.", $"Give 1 to {MaximumResults}.");
        }

        foreach (var result in results)
        {
            if (result is null)
            {
                throw Problems.Bad("invalid_request", "The field 'results' has an answer that is null.", "Give each answer a call_id and its result or error.");
            }

            await context.Cove().AnswerToolCallAsync(sandbox, run, result.CallId, new HostAnswer { Result = result.Result, Error = result.Error }, context.RequestAborted);
        }
    }

    private static async Task<RunInfo> UntilItWaitsAsync(ICove cove, SandboxId sandbox, RunId run, CancellationToken hangup)
    {
        var waited = false;
        while (true)
        {
            var info = await cove.GetRunAsync(sandbox, run, hangup);
            if (info.Result is not null || (info.PendingToolCalls is not null && waited))
            {
                return info;
            }

            if (info.PendingToolCalls is not null)
            {
                waited = true;
                await Task.Delay(Together, TimeProvider.System, hangup);
                continue;
            }

            waited = false;
            await foreach (var next in cove.ReadRunAsync(sandbox, run, info.LastSequence, hangup))
            {
                if (next is RunToolCall or RunCompleted)
                {
                    break;
                }
            }
        }
    }
}
