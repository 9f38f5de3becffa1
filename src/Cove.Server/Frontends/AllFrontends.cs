using Cove.Server.Description;
using Cove.Server.Frontends.Execute;
using Cove.Server.Frontends.Mcp;
using Cove.Server.Frontends.Native;
using Cove.Server.Hosting;
using Cove.Server.Tools;

namespace Cove.Server.Frontends;

/// <summary>Everything a server on the network offers: the one list of it, which the OpenAPI description is made from too.</summary>
internal static class AllFrontends
{
    /// <summary>Adds all routes.</summary>
    public static void MapAll(this Routes routes)
    {
        routes.MapNative();
        routes.MapExecute();
        routes.MapMcp();
        routes.MapTools();
        routes.MapDescription();
    }
}
