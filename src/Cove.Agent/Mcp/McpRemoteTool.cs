using System.Text;
using System.Text.Json;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Cove.Agent.Mcp;

/// <summary>A tool of an MCP server. Whatever it answers is data, of bounded length.</summary>
internal sealed class McpRemoteTool(string server, McpClientTool tool, McpToolsetOptions options) : AgentTool
{
    private const int MostPictures = 4;
    private const int MostPictureBytes = 2 << 20;

    public override string Name { get; } = NameOf(server, tool.Name);

    public override string Description => tool.Description;

    public override JsonElement JsonSchema => tool.JsonSchema;

    public static string NameOf(string server, string tool) => $"mcp__{server}__{tool}";

    public override async Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.CallTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            var arguments = call.Input.ValueKind == JsonValueKind.Object ? call.Input.EnumerateObject().ToDictionary(p => p.Name, p => (object?)p.Value) : [];
            return Read(await tool.CallAsync(arguments, cancellationToken: either.Token));
        }
        catch (McpProtocolException failure)
        {
            var wrong = failure.ErrorCode == McpErrorCode.InvalidParams;
            return Failed(wrong ? ToolErrorCategory.Input : ToolErrorCategory.Unavailable, wrong, failure.Message, wrong ? "Correct the input as the tool's schema says." : "The server failed; go on without this tool.");
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Failed(ToolErrorCategory.Timeout, true, $"The server '{server}' did not answer within {options.CallTimeout.TotalSeconds:0} s.", "Ask for less, or go on without this tool.");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            return Failed(ToolErrorCategory.Unavailable, true, failure.Message, "The server is gone or broken; go on without this tool.");
        }
    }

    private ToolResult Read(CallToolResult result)
    {
        var left = options.MaxResultBytes;
        var contents = new List<AIContent>();
        foreach (var block in result.Content)
        {
            switch (block)
            {
                case ImageContentBlock image when contents.Count(c => c is DataContent) < MostPictures && image.DecodedData.Length <= MostPictureBytes && image.MimeType.StartsWith("image/", StringComparison.Ordinal):
                    contents.Add(new DataContent(image.DecodedData, image.MimeType));
                    break;
                default:
                    var text = Cut(Words(block), left);
                    left -= Encoding.UTF8.GetByteCount(text);
                    contents.Add(new TextContent(text));
                    break;
            }

            if (left <= 0)
            {
                break;
            }
        }

        var structured = result.StructuredContent is { } value && value.GetRawText().Length <= options.MaxResultBytes ? value : (JsonElement?)null;
        if (result.IsError is true)
        {
            var said = string.Join('\n', contents.OfType<TextContent>().Select(content => content.Text));
            return ToolResult.Failed(Error(ToolErrorCategory.Exception, false, said, "Read what the tool says and correct the call.")) with { Structured = structured };
        }

        // What has only a structured value is told as text, too: not every model reads values.
        return new ToolResult { Content = contents.Count > 0 ? contents : [new TextContent(structured is { } only ? ModelJson.Of(only) : "The tool answered nothing.")], Structured = structured };
    }

    private static string Words(ContentBlock block) => block switch
    {
        TextContentBlock text => text.Text,
        ResourceLinkBlock link => $"[resource {link.Uri}]",
        EmbeddedResourceBlock { Resource: TextResourceContents text } => text.Text,
        EmbeddedResourceBlock { Resource: var other } => $"[resource {other.Uri}]",
        _ => $"[{block.Type} left out]",
    };

    private static string Cut(string text, int bytes)
    {
        if (Encoding.UTF8.GetByteCount(text) <= bytes)
        {
            return text;
        }

        // A character is three bytes at most (a pair of them four), so that a third of the room always fits.
        var half = Math.Max(1, bytes / 6);
        var (head, tail) = (char.IsHighSurrogate(text[half - 1]) ? half - 1 : half, char.IsLowSurrogate(text[^half]) ? half - 1 : half);
        return $"{text[..head]}\n… {text.Length - head - tail:N0} characters are left out here …\n{text[^tail..]}";
    }

    private static ToolResult Failed(ToolErrorCategory category, bool retryable, string context, string remediation) => ToolResult.Failed(Error(category, retryable, context, remediation));

    private static ToolError Error(ToolErrorCategory category, bool retryable, string context, string remediation) => new()
    {
        ErrorCategory = category,
        IsRetryable = retryable,
        Context = Cut(context, 4000),
        Remediation = remediation,
    };
}
