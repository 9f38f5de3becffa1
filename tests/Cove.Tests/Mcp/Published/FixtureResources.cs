using System.Text;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cove.Tests.Mcp.Published;

internal static class FixtureResources
{
    public static IEnumerable<McpServerResource> All() =>
    [
        Resource("test://static-text", "text/plain", static () => new TextResourceContents { Uri = "test://static-text", MimeType = "text/plain", Text = "This is the content of the static text resource." }),
        Resource("test://static-binary", "image/png", static () => new BlobResourceContents { Uri = "test://static-binary", MimeType = "image/png", Blob = Encoding.ASCII.GetBytes(FixtureTools.Png) }),
        Resource("test://watched-resource", "text/plain", static () => new TextResourceContents { Uri = "test://watched-resource", MimeType = "text/plain", Text = "It may change." }),
        Resource("test://template/{id}/data", "application/json", static (string id) => new TextResourceContents
        {
            Uri = $"test://template/{id}/data",
            MimeType = "application/json",
            Text = $$"""{"id":"{{id}}","templateTest":true,"data":"Data for ID: {{id}}"}""",
        }),
    ];

    private static McpServerResource Resource(string uri, string type, Delegate method) =>
        McpServerResource.Create(method, new McpServerResourceCreateOptions { UriTemplate = uri, Name = uri, Description = "Asked for by the conformance suite.", MimeType = type });
}
