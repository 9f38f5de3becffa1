using Cove.Server.Access.Idempotency;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes of kernels.</summary>
internal static class NativeKernels
{
    public static void Map(Routes routes)
    {
        routes.Get("/v1/sandboxes/{sandbox}/kernels", new Operation("listKernels", "The kernels of a sandbox.") { Needs = Scopes.Read, Answer = typeof(KernelList) }, async context =>
            await WriteAsync(context, new KernelList(await context.Cove().ListKernelsAsync(Sandbox(context), context.RequestAborted)), CoveJson.Wire.KernelList));
        routes.Post("/v1/sandboxes/{sandbox}/kernels", new Operation("createKernel", "Starts a kernel that is not there yet.") { Needs = Scopes.Write, Starts = true, Body = typeof(KernelRequest), Headers = [IdempotencyKey.Parameter], Status = 201, Answer = typeof(KernelInfo) }, async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.KernelRequest);
            var kernel = await context.Cove().CreateKernelAsync(Sandbox(context), request.Id, request.Language, context.RequestAborted);
            await WriteAsync(context, kernel, CoveJson.Wire.KernelInfo, StatusCodes.Status201Created);
        });
        routes.Post("/v1/sandboxes/{sandbox}/kernels/{kernel}/restart", new Operation("restartKernel", "Kills a kernel and starts it anew; its state is lost.") { Needs = Scopes.Write, Answer = typeof(KernelInfo) }, async context =>
            await WriteAsync(context, await context.Cove().RestartKernelAsync(Sandbox(context), Route(context, "kernel"), context.RequestAborted), CoveJson.Wire.KernelInfo));
        routes.Delete("/v1/sandboxes/{sandbox}/kernels/{kernel}", new Operation("deleteKernel", "Kills a kernel.") { Needs = Scopes.Write, Status = 204 }, async context =>
        {
            await context.Cove().DeleteKernelAsync(Sandbox(context), Route(context, "kernel"), context.RequestAborted);
            await NoContent(context);
        });
    }
}
