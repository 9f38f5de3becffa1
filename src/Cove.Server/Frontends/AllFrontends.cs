using Cove.Server.Description;
using Cove.Server.Frontends.Execute;
using Cove.Server.Frontends.Mcp;
using Cove.Server.Frontends.Native;
using Cove.Server.Hosting;
using Cove.Server.Tools;
using Cove.Server.Tools.Declared;

namespace Cove.Server.Frontends;

/// <summary>Everything a server on the network offers: the one list of it, which the OpenAPI description is made from too.</summary>
internal static class AllFrontends
{
    /// <summary>Adds all routes; those that declarations name come last, so that none takes one of ours.</summary>
    /// <param name="routes">Where they go.</param>
    /// <param name="tools">The declared tools.</param>
    /// <param name="described">Those of them that the public description may tell of.</param>
    public static void MapAll(this Routes routes, ServerTools tools, ServerTools described)
    {
        routes.MapNative();
        routes.MapExecute();
        routes.MapMcp();
        routes.MapTools(tools);
        routes.MapDescription(described);
        routes.MapDeclaredTools(tools);
    }
}
