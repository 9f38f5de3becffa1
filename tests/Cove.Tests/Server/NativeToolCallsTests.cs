using System.Net;
using System.Text;
using System.Text.Json;
using Cove.Tests.Support;
using Cove.Wire;
using Xunit;

namespace Cove.Tests.Server;

/// <summary>Runs that pause for their caller's tools, as bytes on the wire and through the client.</summary>
public sealed class NativeToolCallsTests : IAsyncLifetime
{
    private const string Run = """{"code":"1","id":"r1","tools":[{"name":"add","description":"Adds.","input_schema":{"type":"object"}}],"max_tool_calls":7,"tool_call_timeout_ms":1500}""";

    private SocketServer _server = null!;
    private SandboxId _sandbox;

    private string Runs => $"/v1/sandboxes/{_sandbox}/runs";

    private string Results => Runs + "/r1/tool-results";

    public async ValueTask InitializeAsync()
    {
        _server = await SocketServer.StartAsync();
        _sandbox = await _server.SandboxAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task As_json_a_run_pauses_with_its_calls_and_goes_on_with_their_results()
    {
        _server.Cove.Run = async run =>
        {
            run.Print("a");
            var both = await Task.WhenAll(run.CallAsync("add", """{"a":1}"""), run.CallAsync("add", """{"a":2}"""));
            run.Print(string.Join(',', both.Select(b => b.Result.GetRawText())));
            var failed = await run.CallAsync("add", "{}");
            run.Print($" {failed.Error!.Category} {failed.Error.Message} {failed.Error.Retryable}");
        };
        using var paused = await PostAsync(Runs, Run);
        var waiting = await WaitingAsync(paused);
        Assert.Equal(("waiting_for_tools", "r1", _sandbox), (waiting.Status, waiting.Run.Value, waiting.Sandbox));
        Assert.Equal(["""call_1 add {"a":1}""", """call_2 add {"a":2}"""], waiting.PendingToolCalls.Select(c => $"{c.CallId} {c.Name} {c.Arguments.GetRawText()}"));
        Assert.Equal("no-store", paused.Headers.CacheControl!.ToString());
        Assert.Equal((7, TimeSpan.FromMilliseconds(1500), "object"), (_server.Cove.LastRun!.MaxToolCalls, _server.Cove.LastRun.ToolCallTimeout, _server.Cove.LastRun.Tools![0].InputSchema!.Value.GetProperty("type").GetString()));

        using var half = await PostAsync(Results, """{"results":[{"call_id":"call_2","result":{"sum":2}}]}""");
        Assert.Equal("call_1", Assert.Single((await WaitingAsync(half)).PendingToolCalls).CallId);
        using var more = await PostAsync(Results, """{"results":[{"call_id":"call_1","result":null}]}""");
        Assert.Equal("call_3", Assert.Single((await WaitingAsync(more)).PendingToolCalls).CallId);
        using var done = await PostAsync(Results, """{"results":[{"call_id":"call_3","error":{"category":"policy","message":"No."}}]}""");
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        var whole = JsonSerializer.Deserialize(await done.Content.ReadAsStringAsync(), CoveJson.Wire.FinishedRun)!;
        Assert.Equal("""anull,{"sum":2} policy No. False""", whole.Stdout);
    }

    [Fact]
    public async Task As_a_stream_the_calls_are_events_and_the_answers_are_posted_beside_it()
    {
        _server.Cove.Run = async run => run.Print((await run.CallAsync("add", """{"a":1}""")).Result.GetRawText());
        var events = new List<RunEvent>();
        await foreach (var next in _server.Client.RunAsync(_sandbox, JsonSerializer.Deserialize(Run, CoveJson.Wire.RunRequest)!))
        {
            events.Add(next);
            if (next is RunToolCall call)
            {
                Assert.Equal("call_1", Assert.Single((await _server.Client.GetRunAsync(_sandbox, new RunId("r1"))).PendingToolCalls!).CallId);
                await _server.Client.AnswerToolCallAsync(_sandbox, new RunId("r1"), call.CallId, HostAnswer.Of(JsonElement.Parse("null")));
            }
        }

        Assert.Equal("null", events.OfType<RunOutput>().Single().Text);
        Assert.Equal(TimeSpan.FromMilliseconds(2), events.OfType<RunToolAnswered>().Single().Waited);
        Assert.Null((await _server.Client.GetRunAsync(_sandbox, new RunId("r1"))).PendingToolCalls);
        using var stream = await _server.Http.GetAsync(Runs + "/r1/events");
        Assert.Contains("""{"type":"tool_call","call_id":"call_1","name":"add","arguments":{"a":1},"sequence":2,""", await stream.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_broke_while_a_call_waits_is_taken_up_and_answered()
    {
        _server.Cove.Run = async run => run.Print((await run.CallAsync("add", "{}")).Result.GetRawText());
        using (var request = new HttpRequestMessage(HttpMethod.Post, Runs) { Content = new StringContent(Run, Encoding.UTF8, "application/json") })
        {
            using var broken = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            using var lines = new StreamReader(await broken.Content.ReadAsStreamAsync());
            Assert.Contains("started", await lines.ReadLineAsync(), StringComparison.Ordinal);
        }

        var rest = _server.Client.ReadRunAsync(_sandbox, new RunId("r1"), after: 1).GetAsyncEnumerator();
        await using (rest)
        {
            Assert.True(await Eventually.Within(rest.MoveNextAsync().AsTask()));
            var call = Assert.IsType<RunToolCall>(rest.Current);
            await _server.Client.AnswerToolCallAsync(_sandbox, new RunId("r1"), call.CallId, HostAnswer.Of(JsonElement.Parse("5")));
            RunEvent last = call;
            while (await Eventually.Within(rest.MoveNextAsync().AsTask()))
            {
                last = rest.Current;
            }

            Assert.IsType<RunCompleted>(last);
        }
    }

    [Fact]
    public async Task A_caller_that_hung_up_while_it_waited_finds_its_calls_again()
    {
        var goOn = new TaskCompletionSource();
        _server.Cove.Run = async run =>
        {
            await goOn.Task;
            run.Print((await run.CallAsync("add", "{}")).Result.GetRawText());
        };
        using (var hangUp = new CancellationTokenSource())
        {
            var waiting = PostAsync(Runs, Run, hangUp.Token);
            await Eventually.Holds(() => _server.Cove.LastRun is not null, "the run began");
            await hangUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        goOn.SetResult();
        await Eventually.Holds(async () => (await _server.Client.GetRunAsync(_sandbox, new RunId("r1"))).PendingToolCalls is not null, "the call waits");
        using var done = await PostAsync(Results, """{"results":[{"call_id":"call_1","result":3}]}""");
        Assert.Contains("\"stdout\":\"3\"", await done.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"results":[]}""", 400, "invalid_request")]
    [InlineData("""{"results":[null]}""", 400, "")]
    [InlineData("""{}""", 400, "bad_json")]
    [InlineData("""{"results":[{"result":1}]}""", 400, "bad_json")]
    [InlineData("""{"results":[{"call_id":"call_1","answer":1}]}""", 400, "bad_json")]
    [InlineData("""{"results":[{"call_id":"call_9","result":1}]}""", 404, "tool_call_not_found")]
    public async Task Results_that_can_not_be_taken_are_problems(string body, int status, string code)
    {
        var goOn = new TaskCompletionSource();
        _server.Cove.Run = _ => goOn.Task;
        using var started = await PostAsync(Runs + "?background=true", Run);
        using var refused = await PostAsync(Results, body);
        Assert.Equal((status, "application/problem+json"), ((int)refused.StatusCode, refused.Content.Headers.ContentType!.MediaType));
        Assert.Contains(code, await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        goOn.SetResult();
    }

    [Fact]
    public async Task More_results_than_calls_can_wait_are_refused()
    {
        using var refused = await PostAsync(Results, $$"""{"results":[{{string.Join(',', Enumerable.Repeat("""{"call_id":"c","result":1}""", 129))}}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task A_run_that_is_to_end_with_its_connection_can_not_pause()
    {
        using var refused = await PostAsync(Runs + "?on_disconnect=interrupt", Run);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("on_disconnect", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task<WaitingRun> WaitingAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), CoveJson.Wire.WaitingRun)!;
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        return await _server.Http.SendAsync(request, cancellationToken);
    }
}
