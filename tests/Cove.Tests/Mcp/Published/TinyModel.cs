using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cove.Tests.Mcp.Published;

/// <summary>A model that does as it is told: each turn is made of the results of tools so far.</summary>
internal sealed class TinyModel : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TinyModel(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>The names of the tools it was offered last.</summary>
    public IReadOnlyList<string> Offered { get; private set; } = [];

    /// <param name="turn">From the texts of the results so far: a tool and its input, or an answer.</param>
    public static async Task<TinyModel> StartAsync(Func<IReadOnlyList<string>, (string? Tool, JsonObject? Input, string? Answer)> turn)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var model = new TinyModel(app);
        app.Run(context => model.AnswerAsync(context, turn));
        await app.StartAsync();
        return model;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, Func<IReadOnlyList<string>, (string? Tool, JsonObject? Input, string? Answer)> turn)
    {
        if (!HttpMethods.IsPost(context.Request.Method) || context.Request.Path != "/v1/messages")
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var body = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted))!;
        Offered = [.. body["tools"]?.AsArray().Select(tool => tool!["name"]!.GetValue<string>()) ?? []];
        var results = body["messages"]!.AsArray().SelectMany(message => message!["content"] as JsonArray ?? []).Where(block => block?["type"]?.GetValue<string>() == "tool_result").Select(block => Text(block!["content"])).ToArray();
        var (tool, input, answer) = turn(results);
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(Stream(results.Length, tool, input, answer), context.RequestAborted);
    }

    private static string Text(JsonNode? content) => content is JsonArray blocks ? string.Concat(blocks.Select(block => block?["text"]?.GetValue<string>())) : content?.GetValue<string>() ?? "";

    private static string Stream(int turn, string? tool, JsonObject? input, string? answer)
    {
        var usage = new JsonObject { ["input_tokens"] = 10, ["output_tokens"] = 5 };
        var block = tool is null ? new JsonObject { ["type"] = "text", ["text"] = "" } : new JsonObject { ["type"] = "tool_use", ["id"] = $"toolu_{turn}", ["name"] = tool, ["input"] = new JsonObject() };
        var delta = tool is null ? new JsonObject { ["type"] = "text_delta", ["text"] = answer } : new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = input!.ToJsonString() };
        JsonObject[] events =
        [
            new() { ["type"] = "message_start", ["message"] = new JsonObject { ["id"] = $"msg_{turn}", ["type"] = "message", ["role"] = "assistant", ["model"] = "tiny", ["content"] = new JsonArray(), ["stop_reason"] = null, ["stop_sequence"] = null, ["usage"] = usage.DeepClone() } },
            new() { ["type"] = "content_block_start", ["index"] = 0, ["content_block"] = block },
            new() { ["type"] = "content_block_delta", ["index"] = 0, ["delta"] = delta },
            new() { ["type"] = "content_block_stop", ["index"] = 0 },
            new() { ["type"] = "message_delta", ["delta"] = new JsonObject { ["stop_reason"] = tool is null ? "end_turn" : "tool_use", ["stop_sequence"] = null }, ["usage"] = usage },
            new() { ["type"] = "message_stop" },
        ];
        return events.Aggregate(new StringBuilder(), (text, next) => text.Append("event: ").Append(next["type"]!.GetValue<string>()).Append("\ndata: ").Append(next.ToJsonString()).Append("\n\n")).ToString();
    }
}
