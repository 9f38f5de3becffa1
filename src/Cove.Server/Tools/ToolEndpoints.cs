using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Tools;

/// <summary><c>GET /tools</c>: the tool definitions a model needs.</summary>
internal static class ToolEndpoints
{
    private static readonly string _template = new SandboxRequest().Template;

    /// <summary>Adds the route.</summary>
    public static void MapTools(this Routes routes, ServerTools declared) => routes.Get("/tools", new Operation("listTools", "The tool definitions a model needs to use sandboxes.")
    {
        Needs = Scopes.Read,
        Description = "What they say is installed was found in the sandboxes' template. The tools that the server was started with come last, for a key with the scope 'tools'; POST /tools/{name} calls them.",
        Query =
        [
            new("format", "anthropic: a list for the Messages API's tools. mcp: what tools/list answers. openapi: a document of POST /execute and of those tools. Default anthropic."),
            new("template", "The template whose sandboxes the tools will use. Default python-data."),
        ],
    }, context => TellAsync(context, context.Caller().Scopes.HasFlag(Scopes.Tools) ? declared : ServerTools.None));

    private static async Task TellAsync(HttpContext context, ServerTools declared)
    {
        var template = await TemplateAsync(context);
        JsonNode told = One(context, "format", "anthropic") switch
        {
            "anthropic" => ToolForms.Anthropic(template, declared),
            "mcp" => ToolForms.Mcp(template, declared),
            "openapi" => ToolForms.OpenApi(template, Address(context.Request), declared),
            var other => throw Problems.Bad("invalid_request", $"The query parameter 'format' is '{other}'.", "Give anthropic, openapi or mcp."),
        };
        context.Response.ContentType = "application/json";
        using var body = new MemoryStream();
        await using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = CoveJson.Wire.Options.Encoder }))
        {
            told.WriteTo(json);
        }

        await HeldAnswer.WriteAsync(context, body.GetBuffer().AsMemory(0, (int)body.Length), context.RequestAborted);
    }

    private static async Task<TemplateInfo> TemplateAsync(HttpContext context)
    {
        var name = One(context, "template", _template);
        var templates = await context.Cove().ListTemplatesAsync(context.RequestAborted);
        return templates.FirstOrDefault(t => t.Name == name)
            ?? throw Problems.Bad("invalid_request", $"The query parameter 'template' is '{name}'.", $"Give one of: {string.Join(", ", templates.Select(t => t.Name))}.");
    }

    private static string One(HttpContext context, string name, string missing)
    {
        var text = (string?)context.Request.Query[name] ?? missing;
        return text.Length <= 100 ? text : text[..100] + "…";
    }

    /// <summary>Where the caller reached this server. The host is a known one; behind a proxy that ends TLS, the scheme is what the proxy says.</summary>
    private static string Address(HttpRequest request) =>
        $"{(request.Headers["X-Forwarded-Proto"] is ["https"] ? "https" : request.Scheme)}://{request.Host.Value}";
}
