#pragma warning disable MCP9005 // Roots, sampling and logging are on their way out of the protocol; the suite asks for them.
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cove.Tests.Mcp.Published;

/// <summary>What the published conformance suite asks for by name. It is mounted through the same front-end as the product's own tools; the product knows nothing of it.</summary>
internal static class FixtureCatalog
{
    public static McpServerOptions Options()
    {
        McpServerPrimitiveCollection<McpServerTool> tools = [.. FixtureTools.All(), .. FixtureElicitations.All(), .. FixtureInputs.All()];
        return new McpServerOptions
        {
            ServerInfo = new Implementation { Name = "fixtures", Version = "1" },
            Capabilities = new ServerCapabilities { Resources = new ResourcesCapability { Subscribe = true }, Logging = new LoggingCapability(), Completions = new CompletionsCapability() },
            ToolCollection = tools,
            PromptCollection = [.. FixturePrompts.All()],
            ResourceCollection = [.. FixtureResources.All()],
            Handlers = new McpServerHandlers
            {
                CompleteHandler = static (_, _) => ValueTask.FromResult(new CompleteResult { Completion = new Completion { Values = ["paris", "park"], Total = 2, HasMore = false } }),
                SubscribeToResourcesHandler = static (_, _) => ValueTask.FromResult(new EmptyResult()),
                UnsubscribeFromResourcesHandler = static (_, _) => ValueTask.FromResult(new EmptyResult()),
                SetLoggingLevelHandler = static (_, _) => ValueTask.FromResult(new EmptyResult()),
            },
        };
    }
}
