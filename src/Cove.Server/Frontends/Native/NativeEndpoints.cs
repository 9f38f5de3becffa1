using Cove.Server.Hosting;
using Cove.Wire;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The native API: every method of the high seam as a route under <c>/v1</c>, one to one.</summary>
internal static class NativeEndpoints
{
    /// <summary>Adds the routes.</summary>
    public static void MapNative(this Routes routes)
    {
        NativeSandboxes.Map(routes);
        NativeRuns.Map(routes);
        NativeKernels.Map(routes);
        NativeFiles.Map(routes);
        routes.Get("/v1/templates", new Operation("listTemplates", "The templates sandboxes can start from.") { Needs = Scopes.Read, Answer = typeof(TemplateList) }, async context =>
            await WriteAsync(context, new TemplateList(await context.Cove().ListTemplatesAsync(context.RequestAborted)), CoveJson.Wire.TemplateList));
    }
}
