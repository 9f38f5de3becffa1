using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cove.Agent.HttpTools;
using Cove.Agent.HttpTools.Schemas;
using Cove.Agent.Tools;
using Cove.Server.Access.Idempotency;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Cove.Server.Tools.Declared;

/// <summary><c>POST /tools/{name}</c>, and the routes that declarations give their tools: input in, what the declaration picks of the answer out.</summary>
internal static class DeclaredEndpoints
{
    /// <summary>Room for the longest input.</summary>
    private const long MaximumBodyBytes = 4L * InputBounds.MaximumLength;

    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false, MaxDepth = InputBounds.MaximumDepth + 2 };

    /// <summary>Adds the route by name, which every server has, and those of the declarations.</summary>
    public static void MapDeclaredTools(this Routes routes, ServerTools tools)
    {
        var call = new Operation("callTool", "Calls a declared tool.")
        {
            Needs = Scopes.Tools,
            Starts = true,
            Description = "The tools that this server was started with; GET /tools tells what each takes. Its secrets are added here and are in no answer.",
            RawBody = "application/json",
            Headers = [IdempotencyKey.Parameter],
            Answer = typeof(ToolAnswer),
            OtherAnswers =
            [
                new(StatusCodes.Status400BadRequest, "The input is not what the tool takes, or the other side refused it.", typeof(ToolRefusal), Problem.MediaType),
                new(StatusCodes.Status404NotFound, "There is no such tool, or the other side has not what the input names.", typeof(ToolRefusal), Problem.MediaType),
                new(StatusCodes.Status429TooManyRequests, "The other side wants to be asked less often; Retry-After says when.", typeof(ToolRefusal), Problem.MediaType),
                new(StatusCodes.Status502BadGateway, "The other side failed, or does not accept this server's credentials.", typeof(ToolRefusal), Problem.MediaType),
                new(StatusCodes.Status503ServiceUnavailable, "The other side failed so often that it is left alone for a while; Retry-After says until when.", typeof(ToolRefusal), Problem.MediaType),
                new(StatusCodes.Status504GatewayTimeout, "The other side did not answer in time.", typeof(ToolRefusal), Problem.MediaType),
            ],
            Refusal = static (error, status) => JsonSerializer.SerializeToUtf8Bytes(DeclaredTranslation.Refusal(error, status), DeclaredJson.Wire.ToolRefusal),
            Json = DeclaredJson.Wire,
        };
        routes.Post("/tools/{name}", call, context => CallAsync(context, tools.Find((string)context.Request.RouteValues["name"]!)));
        foreach (var tool in tools.Http.Where(tool => tool.Declaration.Route is not null))
        {
            var route = tool.Declaration.Route!;
            if (!routes.IsFree(route))
            {
                throw Problems.Bad("invalid_tool_file", $"The tool '{tool.Name}' has the route '{route}', which begins as a route of this server does.", "Give it a route with another first segment, for example /github/….");
            }

            routes.Post(route, call with { Id = "callTool:" + tool.Name, Summary = $"Calls the tool {tool.Name}.", IsDeclared = true }, context => CallAsync(context, tool));
        }
    }

    private static async Task CallAsync(HttpContext context, HttpTool? tool)
    {
        if (tool is null)
        {
            await RefuseAsync(context, DeclaredTranslation.Refusal(StatusCodes.Status404NotFound, "unknown_tool", ToolErrorCategory.NotFound, false, "There is no declared tool of this name.", "GET /tools lists them."));
            return;
        }

        var did = new TurnedOut();
        did.Note("callTool:" + tool.Name, changes: true);
        context.Features.Set(did);
        var (input, refusal) = await ReadAsync(context);
        if (input is null)
        {
            await RefuseAsync(context, refusal!);
            return;
        }

        using (input)
        {
            var answer = await tool.AskAsync(input.RootElement, context.RequestAborted);
            if (answer.Error is null)
            {
                await WriteAsync(context, answer.Value!, DeclaredJson.Wire.JsonObject, StatusCodes.Status200OK);
                return;
            }

            if (answer.Wait is { } wait)
            {
                context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString();
            }

            await RefuseAsync(context, DeclaredTranslation.Refusal(answer));
        }
    }

    private static async Task<(JsonDocument? Input, ToolRefusal? Refusal)> ReadAsync(HttpContext context)
    {
        if (!IsJson(context.Request.ContentType))
        {
            return (null, Bad(StatusCodes.Status415UnsupportedMediaType, "The body is not application/json.", "Send the tool's input as a JSON object with Content-Type: application/json."));
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = Math.Min(limit.MaxRequestBodySize ?? long.MaxValue, MaximumBodyBytes);
        }

        try
        {
            var counted = BoundedBody.Of(context);
            context.Response.RegisterForDisposeAsync(counted); // the input is there until the other side has answered
            return (await JsonDocument.ParseAsync(counted, _strict, context.RequestAborted), null);
        }
        catch (JsonException)
        {
            return (null, Bad(StatusCodes.Status400BadRequest, "The body is no JSON, holds a name twice, or is nested too deeply.", "Send one JSON object with the fields that GET /tools names."));
        }
        catch (BadHttpRequestException bad)
        {
            return (null, Bad(bad.StatusCode, bad.Message, $"Send at most {MaximumBodyBytes} bytes."));
        }
    }

    private static ToolRefusal Bad(int status, string message, string remediation) => DeclaredTranslation.Refusal(status, "tool_input_invalid", ToolErrorCategory.Input, true, message, remediation);

    private static bool IsJson(string? contentType) => MediaTypeHeaderValue.TryParse(contentType, out var media) && media.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);

    private static Task RefuseAsync(HttpContext context, ToolRefusal refusal)
    {
        context.Features.Set(new ToldProblem(refusal.Code));
        return WriteAsync(context, refusal, DeclaredJson.Wire.ToolRefusal, refusal.Status, Problem.MediaType);
    }

    private static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type, int status, string mediaType = "application/json")
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = body.Length;
        await HeldAnswer.WriteAsync(context, body, context.RequestAborted);
    }
}
