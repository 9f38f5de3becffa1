using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Server.Hosting;
using Cove.Server.Tools;
using Cove.Server.Tools.Declared;

namespace Cove.Server.Description;

/// <summary>What the server says of itself: its OpenAPI description and a page to read it with. Both are public, as this repository is; what an installation declares is told to its own machine only.</summary>
internal static class DescriptionEndpoints
{
    /// <summary>The page is three files of this server's and talks to this server alone; no other page may frame it.</summary>
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Adds the routes.</summary>
    public static void MapDescription(this Routes routes, ServerTools declared)
    {
        Map(routes, "/openapi.json", WithTools(Read("openapi.json"), declared), "application/json", new("getDescription", "This description, as OpenAPI 3.1.") { Needs = Scopes.None });
        Map(routes, "/docs", Read("docs.html"), "text/html; charset=utf-8", Page("getDocs", "A page to read this description with, and to try it."));
        Map(routes, "/docs/docs.js", Read("docs.js"), "text/javascript; charset=utf-8", Page("getDocsScript", "The script of that page."));
        Map(routes, "/docs/docs.css", Read("docs.css"), "text/css; charset=utf-8", Page("getDocsStyle", "The style of that page."));
    }

    private static void Map(Routes routes, string path, byte[] content, string type, Operation operation)
    {
        routes.Get(path, operation with { AnswerTypes = [type.Split(';')[0]] }, async context =>
        {
            context.Response.ContentType = type;
            context.Response.ContentLength = content.Length;
            context.Response.Headers.CacheControl = "no-cache";
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers["Referrer-Policy"] = "no-referrer";
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
        });
    }

    /// <summary>What is checked in, byte for byte, unless there is more to tell.</summary>
    private static byte[] WithTools(byte[] content, ServerTools declared)
    {
        if (declared.All.Count == 0)
        {
            return content;
        }

        var document = JsonNode.Parse(content)!.AsObject();
        DeclaredDescription.AddTo(document["paths"]!.AsObject(), declared);
        return Encoding.UTF8.GetBytes(document.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    private static Operation Page(string id, string summary) => new(id, summary) { Needs = Scopes.None };

    private static byte[] Read(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(file) ?? throw new InvalidOperationException($"The build left out {file}.");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
