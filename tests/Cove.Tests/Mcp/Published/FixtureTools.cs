#pragma warning disable MCP9005 // Roots, sampling and logging are on their way out of the protocol; the suite asks for them.
using System.Text;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using CallContext = ModelContextProtocol.Server.RequestContext<ModelContextProtocol.Protocol.CallToolRequestParams>;

namespace Cove.Tests.Mcp.Published;

/// <summary>Tools that answer with each kind of content, fail, tell of progress, or need what a client lacks.</summary>
internal static class FixtureTools
{
    /// <summary>One red pixel.</summary>
    public const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

    /// <summary>A sound of no length.</summary>
    private const string Wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

    public static IEnumerable<McpServerTool> All() =>
    [
        Tool("test_simple_text", static () => "This is a simple text response for testing."),
        Tool("test_image_content", static () => new ImageContentBlock { Data = Encoding.ASCII.GetBytes(Png), MimeType = "image/png" }),
        Tool("test_audio_content", static () => new AudioContentBlock { Data = Encoding.ASCII.GetBytes(Wav), MimeType = "audio/wav" }),
        Tool("test_embedded_resource", static () => Embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")),
        Tool("test_multiple_content_types", static () => new ContentBlock[]
        {
            new TextContentBlock { Text = "Multiple content types test:" },
            new ImageContentBlock { Data = Encoding.ASCII.GetBytes(Png), MimeType = "image/png" },
            Embedded("test://mixed-content-resource", "application/json", """{"test":"data","value":123}"""),
        }),
        Tool("test_error_handling", static string () => throw new McpException("This tool intentionally returns an error for testing")),
        Tool("test_tool_with_progress", ProgressAsync),
        Tool("test_tool_with_logging", LogAsync),
        Tool("test_logging_tool", LogAsync),
        Tool("test_missing_capability", NeedSampling),
    ];

    public static McpServerTool Tool(string name, Delegate method) => McpServerTool.Create(method, new McpServerToolCreateOptions { Name = name, Description = "Asked for by the conformance suite." });

    public static CallToolResult Text(string text) => new() { Content = [new TextContentBlock { Text = text }] };

    private static EmbeddedResourceBlock Embedded(string uri, string type, string text) => new() { Resource = new TextResourceContents { Uri = uri, MimeType = type, Text = text } };

    private static async Task<string> ProgressAsync(CallContext context, CancellationToken cancellationToken)
    {
        if (context.Params?.ProgressToken is { } token)
        {
            foreach (var progress in new[] { 0, 50, 100 })
            {
                await context.Server.NotifyProgressAsync(token, new ProgressNotificationValue { Progress = progress, Total = 100 }, cancellationToken: cancellationToken);
            }
        }

        return "done";
    }

    private static async Task<string> LogAsync(CallContext context, CancellationToken cancellationToken)
    {
        // The revision of 2026 has its requests say whether they want to hear.
        if (context.Params?.Meta?[MetaKeys.ProtocolVersion] is not null && context.Params.Meta[MetaKeys.LogLevel] is null)
        {
            return "silent";
        }

        foreach (var text in new[] { "Tool execution started", "Tool processing data", "Tool execution completed" })
        {
            var note = new LoggingMessageNotificationParams { Level = LoggingLevel.Info, Logger = "fixtures", Data = System.Text.Json.JsonElement.Parse($"\"{text}\"") };
            await context.Server.SendNotificationAsync("notifications/message", note, McpJsonUtilities.DefaultOptions, cancellationToken);
        }

        return "told";
    }

    private static string NeedSampling(CallContext context) => context.Server.ClientCapabilities?.Sampling is null
        ? throw new MissingRequiredClientCapabilityException(new ClientCapabilities { Sampling = new SamplingCapability() }, "This tool needs sampling.")
        : "It is there.";
}
