using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Cove.Tests.Agent.HttpTools;

/// <summary>The samples as they are, but for the host: a fake that is as strict as the real one about method, path, headers and body.</summary>
public sealed class SampleToolTests
{
    [Fact]
    public async Task GitHub_creates_an_issue()
    {
        await using var bench = await SampleAsync("github.yaml", "https://api.github.com");
        bench.Api.Answer = GitHubAsync;
        var result = await bench.CallAsync("""{"repo":"octocat/hello.world-1","title":"Found \"a\" bug","body":"line 1\nline 2"}""");
        Assert.Equal("""{"success":true,"issue_number":1347,"issue_url":"https://github.com/octocat/hello.world-1/issues/1347"}""", result.Structured!.Value.GetRawText());
        Assert.Null((await bench.CallAsync("""{"repo":"octocat/hello.world-1","title":"t","body":"","labels":["bug","ui"]}""")).Error);
        Assert.Equal("""{"title":"t","body":"","labels":["bug","ui"]}""", bench.Api.Requests[1].Body);
        Assert.DoesNotContain(ToolBench.Token, bench.Everything(result), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("octocat")]
    [InlineData("octocat/../user")]
    [InlineData("octocat/hello/world")]
    [InlineData("octo cat/hello")]
    [InlineData("-octocat/hello")]
    [InlineData("octocat/hello?x=1")]
    [InlineData("octocat/hello#")]
    [InlineData("octocat/%2e%2e")]
    [InlineData("octocat/hello\n")]
    [InlineData("octocat/..")]
    public async Task A_repository_is_owner_and_name(string repo)
    {
        await using var bench = await SampleAsync("github.yaml", "https://api.github.com");
        var input = JsonSerializer.Serialize(new Dictionary<string, string> { ["repo"] = repo, ["title"] = "t", ["body"] = "b" });
        Assert.Equal(ToolErrorCategory.Input, (await bench.CallAsync(input)).Error!.ErrorCategory);
        Assert.Empty(bench.Api.Requests);
    }

    [Fact]
    public async Task GitHubs_errors_say_what_to_do()
    {
        await using var bench = await SampleAsync("github.yaml", "https://api.github.com");
        bench.Api.Answers(
            (422, """{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"missing_field"}]}""", []),
            (401, """{"message":"Bad credentials"}""", []),
            (404, """{"message":"Not Found"}""", []),
            (410, """{"message":"Issues are disabled for this repo"}""", []),
            (403, """{"message":"You have exceeded a secondary rate limit"}""", [("Retry-After", "60")]),
            (502, "<html>", []));
        var categories = new List<ToolErrorCategory>();
        for (var i = 0; i < 6; i++)
        {
            categories.Add((await bench.CallAsync("""{"repo":"a/b","title":"t","body":"b"}""")).Error!.ErrorCategory);
        }

        Assert.Equal([ToolErrorCategory.Input, ToolErrorCategory.Permission, ToolErrorCategory.NotFound, ToolErrorCategory.NotFound, ToolErrorCategory.RateLimited, ToolErrorCategory.Unavailable], categories);
        Assert.Equal(6, bench.Api.Requests.Count);
    }

    [Fact]
    public async Task Slack_sends_a_message()
    {
        await using var bench = await SampleAsync("slack.yaml", "https://slack.com");
        bench.Api.Answer = SlackAsync;
        var result = await bench.CallAsync("""{"channel":"C0123456789","text":"*hello* <world> & \"all\""}""");
        Assert.Equal("""{"success":true,"channel":"C0123456789","message_ts":"1503435956.000247"}""", result.Structured!.Value.GetRawText());
        Assert.Equal("""{"channel":"C0123456789","text":"*hello* <world> & \"all\""}""", bench.Api.Requests[0].Body);
        Assert.Null((await bench.CallAsync("""{"channel":"#general","text":"x","thread_ts":"1503435956.000247"}""")).Error);
        Assert.Contains("\"thread_ts\":\"1503435956.000247\"", bench.Api.Requests[1].Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("channel_not_found", ToolErrorCategory.NotFound)]
    [InlineData("invalid_auth", ToolErrorCategory.Permission)]
    [InlineData("msg_too_long", ToolErrorCategory.Input)]
    [InlineData("ratelimited", ToolErrorCategory.RateLimited)]
    [InlineData("something_new", ToolErrorCategory.Unavailable)]
    public async Task Slack_says_no_with_a_200(string code, ToolErrorCategory category)
    {
        await using var bench = await SampleAsync("slack.yaml", "https://slack.com");
        bench.Api.Answers((200, $$"""{"ok":false,"error":"{{code}}"}""", []));
        var error = (await bench.CallAsync("""{"channel":"C0123456789","text":"x"}""")).Error!;
        Assert.Equal(category, error.ErrorCategory);
        Assert.Contains(code, error.Context, StringComparison.Ordinal);
    }

    private static Task GitHubAsync(FakeApiRequest request, HttpContext context)
    {
        var body = JsonNode.Parse(request.Body)!.AsObject();
        var isRight = request is { Method: "POST", Target: "/repos/octocat/hello.world-1/issues" }
            && request.Headers["Authorization"] == "Bearer " + ToolBench.Token && request.Headers["Accept"] == "application/vnd.github+json"
            && request.Headers["X-GitHub-Api-Version"] == "2022-11-28" && request.Headers["User-Agent"] == "cove/test"
            && request.Headers["Content-Type"] == "application/json; charset=utf-8"
            && body.All(field => field.Key is "title" or "body" or "labels") && body["title"]!.GetValueKind() == JsonValueKind.String;
        return isRight
            ? FakeApi.Json(context, 201, """{"id":1,"node_id":"MDU6SXNzdWUx","number":1347,"html_url":"https://github.com/octocat/hello.world-1/issues/1347","state":"open","user":{"login":"octocat"}}""")
            : FakeApi.Json(context, 400, JsonSerializer.Serialize(new { message = $"wrong: {request.Method} {request.Target} {string.Join("; ", request.Headers.Where(h => h.Key != "Authorization"))} {request.Body}" }));
    }

    private static Task SlackAsync(FakeApiRequest request, HttpContext context)
    {
        var isRight = request is { Method: "POST", Target: "/api/chat.postMessage" } && request.Headers["Authorization"] == "Bearer " + ToolBench.Token
            && request.Headers["Content-Type"] == "application/json; charset=utf-8";
        return FakeApi.Json(context, 200, isRight ? """{"ok":true,"channel":"C0123456789","ts":"1503435956.000247","message":{"text":"x"}}""" : """{"ok":false,"error":"invalid_arguments"}""");
    }

    private static async Task<ToolBench> SampleAsync(string file, string host)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "samples", "tools", file));
        Assert.Contains($"url: {host}/", text, StringComparison.Ordinal);
        return await ToolBench.StartAsync(text.Replace($"    url: {host}/", "    allow_private: true\n    url: BASE/", StringComparison.Ordinal));
    }
}
