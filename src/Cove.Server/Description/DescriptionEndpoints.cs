using System.Reflection;
using Cove.Server.Hosting;

namespace Cove.Server.Description;

/// <summary>What the server says of itself: its OpenAPI description and a page to read it with. Both are public, as this repository is; neither says anything of this installation.</summary>
internal static class DescriptionEndpoints
{
    /// <summary>The page is three files of this server's and talks to this server alone; no other page may frame it.</summary>
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Adds the routes.</summary>
    public static void MapDescription(this Routes routes)
    {
        Map(routes, "/openapi.json", "openapi.json", "application/json", new("getDescription", "This description, as OpenAPI 3.1.") { Needs = Scopes.None });
        Map(routes, "/docs", "docs.html", "text/html; charset=utf-8", Page("getDocs", "A page to read this description with, and to try it."));
        Map(routes, "/docs/docs.js", "docs.js", "text/javascript; charset=utf-8", Page("getDocsScript", "The script of that page."));
        Map(routes, "/docs/docs.css", "docs.css", "text/css; charset=utf-8", Page("getDocsStyle", "The style of that page."));
    }

    private static void Map(Routes routes, string path, string file, string type, Operation operation)
    {
        var content = Read(file);
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

    private static Operation Page(string id, string summary) => new(id, summary) { Needs = Scopes.None };

    private static byte[] Read(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(file) ?? throw new InvalidOperationException($"The build left out {file}.");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
