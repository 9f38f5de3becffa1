using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The native API: every method of the high seam as a route under <c>/v1</c>, one to one.</summary>
internal static class NativeEndpoints
{
    /// <summary>Adds the routes. Handlers are plain delegates: nothing is generated or reflected over when an engine starts.</summary>
    public static void MapNative(this IEndpointRouteBuilder routes, ICove cove, EngineLife life)
    {
        var native = new Routes(routes, life);
        MapSandboxes(native, cove, life);
        NativeRuns.Map(native, cove);
        NativeKernels.Map(native, cove);
        NativeFiles.Map(native, cove);
        native.Get("/v1/templates", async context =>
            await WriteAsync(context, new TemplateList(await cove.ListTemplatesAsync(context.RequestAborted)), CoveJson.Wire.TemplateList));
        MapEngine(routes, life);
    }

    private static void MapSandboxes(Routes native, ICove cove, EngineLife life)
    {
        native.Post("/v1/sandboxes", async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.SandboxRequest);
            if (life.Stopping)
            {
                throw new CoveException(Problems.Stopping());
            }

            var sandbox = await cove.CreateSandboxAsync(request, context.RequestAborted);
            context.Response.Headers.Location = "/v1/sandboxes/" + sandbox.Id.Value;
            await WriteAsync(context, sandbox, CoveJson.Wire.SandboxInfo, StatusCodes.Status201Created);
        });
        native.Get("/v1/sandboxes", async context =>
            await WriteAsync(context, new SandboxList(await cove.ListSandboxesAsync(context.RequestAborted)), CoveJson.Wire.SandboxList));
        native.Get("/v1/sandboxes/{sandbox}", async context =>
            await WriteAsync(context, await cove.GetSandboxAsync(Sandbox(context), context.RequestAborted), CoveJson.Wire.SandboxInfo));
        native.Delete("/v1/sandboxes/{sandbox}", async context =>
        {
            // Deaf to a caller that hangs up: a sandbox half taken down helps nobody.
            await cove.DeleteSandboxAsync(Sandbox(context), CancellationToken.None);
            await NoContent(context);
        });
        native.Get("/v1/sandboxes/{sandbox}/usage", async context =>
            await WriteAsync(context, await cove.GetUsageAsync(Sandbox(context), context.RequestAborted), CoveJson.Wire.SandboxUsage));
    }

    /// <summary>These don't count as work: asking an engine how it is must not keep it alive.</summary>
    private static void MapEngine(IEndpointRouteBuilder routes, EngineLife life)
    {
        routes.MapGet("/v1/engine", async (HttpContext context) =>
            await WriteAsync(context, await life.StatusAsync(context.RequestAborted), CoveJson.Wire.EngineStatus));
        routes.MapMethods("/v1/engine", [HttpMethods.Head], (HttpContext context) =>
        {
            // The answer to HEAD has no body: a status alone must tell that this engine is leaving and another one is to be started.
            context.Response.StatusCode = life.Stopping ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
        routes.MapPost("/v1/engine/stop", async (HttpContext context) =>
        {
            switch ((string?)context.Request.Query["when"])
            {
                case null or "now":
                    // After the answer is out, not before it.
                    context.Response.OnCompleted(() =>
                    {
                        life.StopNow();
                        return Task.CompletedTask;
                    });
                    break;
                case "idle":
                    life.StopWhenIdle();
                    break;
                case var other:
                    throw Problems.Bad("invalid_request", $"The query parameter 'when' is '{other}'.", "Give now or idle.");
            }

            await NoContent(context);
        });
    }

    /// <summary>Maps routes whose requests count as work of the engine.</summary>
    internal sealed class Routes(IEndpointRouteBuilder routes, EngineLife life)
    {
        public void Get(string pattern, RequestDelegate handle) => routes.MapGet(pattern, Counted(handle));

        public void Post(string pattern, RequestDelegate handle) => routes.MapPost(pattern, Counted(handle));

        public void Put(string pattern, RequestDelegate handle) => routes.MapPut(pattern, Counted(handle));

        public void Delete(string pattern, RequestDelegate handle) => routes.MapDelete(pattern, Counted(handle));

        private RequestDelegate Counted(RequestDelegate handle) => async context =>
        {
            using var work = life.Enter();
            await handle(context);
        };
    }
}
