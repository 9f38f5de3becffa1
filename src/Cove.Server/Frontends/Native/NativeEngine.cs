using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes about the engine itself, for its own user on its Unix socket. They don't count as work: asking an engine how it is must not keep it alive.</summary>
internal static class NativeEngine
{
    public static void Map(IEndpointRouteBuilder routes, EngineLife life)
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
}
