using Cove.Wire;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes of kernels.</summary>
internal static class NativeKernels
{
    public static void Map(NativeEndpoints.Routes routes, ICove cove)
    {
        routes.Get("/v1/sandboxes/{sandbox}/kernels", async context =>
            await WriteAsync(context, new KernelList(await cove.ListKernelsAsync(Sandbox(context), context.RequestAborted)), CoveJson.Wire.KernelList));
        routes.Post("/v1/sandboxes/{sandbox}/kernels", async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.KernelRequest);
            var kernel = await cove.CreateKernelAsync(Sandbox(context), request.Id, request.Language, context.RequestAborted);
            await WriteAsync(context, kernel, CoveJson.Wire.KernelInfo, StatusCodes.Status201Created);
        });
        routes.Post("/v1/sandboxes/{sandbox}/kernels/{kernel}/restart", async context =>
            await WriteAsync(context, await cove.RestartKernelAsync(Sandbox(context), Route(context, "kernel"), context.RequestAborted), CoveJson.Wire.KernelInfo));
        routes.Delete("/v1/sandboxes/{sandbox}/kernels/{kernel}", async context =>
        {
            await cove.DeleteKernelAsync(Sandbox(context), Route(context, "kernel"), context.RequestAborted);
            await NoContent(context);
        });
    }
}
