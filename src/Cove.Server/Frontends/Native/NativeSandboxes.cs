using Cove.Server.Access.Idempotency;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes of sandboxes.</summary>
internal static class NativeSandboxes
{
    public static void Map(Routes routes)
    {
        var create = new Operation("createSandbox", "Creates a sandbox; answers when it does.") { Needs = Scopes.Write, Starts = true, Body = typeof(SandboxRequest), Headers = [IdempotencyKey.Parameter], Status = 201, Answer = typeof(SandboxInfo) };
        routes.Post("/v1/sandboxes", create, async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.SandboxRequest);
            var sandbox = await context.Cove().CreateSandboxAsync(request, context.RequestAborted);
            context.Response.Headers.Location = "/v1/sandboxes/" + sandbox.Id.Value;
            await WriteAsync(context, sandbox, CoveJson.Wire.SandboxInfo, StatusCodes.Status201Created);
        });
        routes.Get("/v1/sandboxes", new Operation("listSandboxes", "The sandboxes that hold all that is asked for, oldest first, a page at a time.") { Needs = Scopes.Read, Query = SandboxQuery.Parameters, Answer = typeof(SandboxPage) }, async context =>
            await WriteAsync(context, await context.Cove().ListSandboxesAsync(SandboxQuery.Read(context), context.RequestAborted), CoveJson.Wire.SandboxPage));
        routes.Patch("/v1/sandboxes/{sandbox}", new Operation("extendSandbox", "Changes how long a sandbox lives, counted from now.") { Needs = Scopes.Write, Body = typeof(SandboxExtension), Answer = typeof(SandboxInfo) }, async context =>
        {
            var extension = await ReadAsync(context, CoveJson.Wire.SandboxExtension);
            await WriteAsync(context, await context.Cove().ExtendSandboxAsync(Sandbox(context), extension, context.RequestAborted), CoveJson.Wire.SandboxInfo);
        });
        routes.Get("/v1/sandboxes/{sandbox}/events", new Operation("readSandboxEvents", "What happened to a sandbox, from its journal.")
        {
            Needs = Scopes.Read,
            Endless = true,
            Query =
            [
                new("after", "The sequence of the last event that arrived. Default 0: from the first.", "integer"),
                new("follow", "true: go on with what happens, until the sandbox ended. Default false.", "boolean"),
            ],
            Headers = [new("Last-Event-ID", "The same as after, as browsers' event sources send it; it goes before the query.")],
            Answer = typeof(SandboxEvent),
            AnswerTypes = RunAnswers.Types[..2],
        }, context =>
        {
            var form = RunAnswers.Form(context, whole: false);
            var events = context.Cove().ReadSandboxEventsAsync(Sandbox(context), RunAnswers.After(context), Flag(context, "follow", false), context.RequestAborted);
            return RunAnswers.Sandboxes(context, form).SendAsync(events);
        });
        routes.Get("/v1/sandboxes/{sandbox}", new Operation("getSandbox", "What is known of a sandbox, also after it ended.") { Needs = Scopes.Read, Answer = typeof(SandboxInfo) }, async context =>
            await WriteAsync(context, await context.Cove().GetSandboxAsync(Sandbox(context), context.RequestAborted), CoveJson.Wire.SandboxInfo));
        routes.Delete("/v1/sandboxes/{sandbox}", new Operation("deleteSandbox", "Ends a sandbox and everything in it.") { Description = "Answers when every call into it is refused and nothing in it runs any more. Freeing what the host held follows, within a second unless its processes die slowly: until then its state is `ending`, then `ended`.", Needs = Scopes.Write, Status = 204 }, async context =>
        {
            // Deaf to a caller that hangs up: a sandbox half taken down helps nobody.
            await context.Cove().DeleteSandboxAsync(Sandbox(context), CancellationToken.None);
            await NoContent(context);
        });
        routes.Get("/v1/sandboxes/{sandbox}/usage", new Operation("getUsage", "What a sandbox uses now: memory, processor time, processes, disk.") { Needs = Scopes.Read, Answer = typeof(SandboxUsage) }, async context =>
            await WriteAsync(context, await context.Cove().GetUsageAsync(Sandbox(context), context.RequestAborted), CoveJson.Wire.SandboxUsage));
    }
}
