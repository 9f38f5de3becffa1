#pragma warning disable MCP9005 // Roots, sampling and logging are on their way out of the protocol; the suite asks for them.
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using static ModelContextProtocol.Protocol.ElicitRequestParams;

namespace Cove.Tests.Mcp.Published;

/// <summary>Tools that ask the client back while they run, as revisions before 2026 do.</summary>
internal static class FixtureElicitations
{
    public static IEnumerable<McpServerTool> All() =>
    [
        FixtureTools.Tool("test_sampling", SampleAsync),
        FixtureTools.Tool("test_elicitation", static (McpServer server, string message, CancellationToken cancellationToken) => AskAsync(server, message, Named("username", "email"), cancellationToken)),
        FixtureTools.Tool("test_elicitation_sep1034_defaults", static (McpServer server, CancellationToken cancellationToken) => AskAsync(server, "Defaults of every kind", Defaults(), cancellationToken)),
        FixtureTools.Tool("test_elicitation_sep1330_enums", static (McpServer server, CancellationToken cancellationToken) => AskAsync(server, "Choices of every kind", Choices(), cancellationToken)),
    ];

    private static async Task<string> SampleAsync(McpServer server, string prompt, CancellationToken cancellationToken)
    {
        var answer = await server.SampleAsync(new CreateMessageRequestParams { Messages = [new SamplingMessage { Role = Role.User, Content = [new TextContentBlock { Text = prompt }] }], MaxTokens = 100 }, cancellationToken);
        return "LLM response: " + string.Concat(answer.Content.OfType<TextContentBlock>().Select(block => block.Text));
    }

    private static async Task<string> AskAsync(McpServer server, string message, RequestSchema schema, CancellationToken cancellationToken)
    {
        var answer = await server.ElicitAsync(new ElicitRequestParams { Message = message, RequestedSchema = schema }, cancellationToken);
        return $"Elicitation completed: action={answer.Action}, content={JsonSerializer.Serialize(answer.Content, McpJsonUtilities.DefaultOptions)}";
    }

    private static RequestSchema Named(params string[] names)
    {
        var schema = new RequestSchema { Required = [.. names] };
        foreach (var name in names)
        {
            schema.Properties[name] = new StringSchema { Description = name };
        }

        return schema;
    }

    private static RequestSchema Defaults()
    {
        var schema = new RequestSchema();
        schema.Properties["name"] = new StringSchema { Default = "John Doe" };
        schema.Properties["age"] = new NumberSchema { Type = "integer", Default = 30 };
        schema.Properties["score"] = new NumberSchema { Default = 95.5 };
        schema.Properties["status"] = new UntitledSingleSelectEnumSchema { Enum = ["active", "inactive", "pending"], Default = "active" };
        schema.Properties["verified"] = new BooleanSchema { Default = true };
        return schema;
    }

    private static RequestSchema Choices()
    {
        var schema = new RequestSchema();
        schema.Properties["untitledSingle"] = new UntitledSingleSelectEnumSchema { Enum = ["option1", "option2", "option3"] };
        schema.Properties["titledSingle"] = new TitledSingleSelectEnumSchema { OneOf = Titled("Option") };
        schema.Properties["untitledMulti"] = new UntitledMultiSelectEnumSchema { Items = new UntitledEnumItemsSchema { Enum = ["option1", "option2", "option3"] } };
        schema.Properties["titledMulti"] = new TitledMultiSelectEnumSchema { Items = new TitledEnumItemsSchema { AnyOf = Titled("Choice") } };
#pragma warning disable MCP9001 // The suite asks for the old form too.
        schema.Properties["legacyEnum"] = new LegacyTitledEnumSchema { Enum = ["opt1", "opt2", "opt3"], EnumNames = ["Option One", "Option Two", "Option Three"] };
#pragma warning restore MCP9001
        return schema;
    }

    private static List<EnumSchemaOption> Titled(string word) =>
        [new() { Const = "value1", Title = "First " + word }, new() { Const = "value2", Title = "Second " + word }, new() { Const = "value3", Title = "Third " + word }];
}
