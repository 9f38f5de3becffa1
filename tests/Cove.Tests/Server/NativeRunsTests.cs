using System.Net;
using System.Text;
using System.Text.Json;
using Cove.Server.Frontends.Native;
using Cove.Tests.Support;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cove.Tests.Server;

/// <summary>How runs are started, answered, read again and fed, as bytes on the wire.</summary>
public sealed class NativeRunsTests : IAsyncLifetime
{
    private SocketServer _server = null!;
    private SandboxId _sandbox;

    private string Runs => $"/v1/sandboxes/{_sandbox}/runs";

    public async ValueTask InitializeAsync()
    {
        _server = await SocketServer.StartAsync();
        _sandbox = await _server.SandboxAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task As_json_a_run_is_one_object()
    {
        _server.Cove.Run = run =>
        {
            run.Print("out");
            run.Print("err", OutputStream.Stderr);
            run.Print("put");
            run.Show(isResult: true, ("text/plain", "7"));
            return Task.CompletedTask;
        };
        using var response = await PostAsync(Runs, """{"code":"1","id":"r1"}""", "application/json");
        var whole = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), CoveJson.Wire.FinishedRun)!;
        Assert.Equal(("r1", _sandbox, "output", "err", "7"), (whole.Run!.Value.Value, whole.Sandbox, whole.Stdout, whole.Stderr, Assert.Single(whole.Displays).Data["text/plain"]));
        Assert.Equal(RunOutcome.Ok, whole.Result.Outcome);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task As_server_sent_events_each_has_its_sequence_and_type()
    {
        _server.Cove.Run = run =>
        {
            run.Print("line\nline");
            return Task.CompletedTask;
        };
        using var response = await PostAsync(Runs, """{"code":"1","id":"r1"}""", "text/event-stream");
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("no", Assert.Single(response.Headers.GetValues("X-Accel-Buffering")));
        var blocks = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["id: 1\nevent: started", "id: 2\nevent: output", "id: 3\nevent: completed"], blocks.Select(b => b[..b.LastIndexOf('\n')]));
        Assert.Contains("""data: {"type":"output",""", blocks[1], StringComparison.Ordinal);

        using var again = new HttpRequestMessage(HttpMethod.Get, Runs + "/r1/events?after=0");
        again.Headers.Add("Accept", "text/event-stream");
        again.Headers.Add("Last-Event-ID", "2"); // what a browser sends goes before the address it was given at first
        using var rest = await _server.Http.SendAsync(again);
        Assert.StartsWith("id: 3\nevent: completed\n", await rest.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "application/x-ndjson")]
    [InlineData("*/*", "application/x-ndjson")]
    [InlineData("text/event-stream;q=0.5, application/json;q=0.9", "application/json")]
    [InlineData("text/html, text/event-stream", "text/event-stream")]
    public async Task The_accept_header_chooses(string? accept, string type)
    {
        using var response = await PostAsync(Runs, """{"code":"1"}""", accept);
        Assert.Equal((HttpStatusCode.OK, type), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
    }

    [Theory]
    [InlineData("POST", "/runs", "text/html", 406)]
    [InlineData("POST", "/runs?on_disconnect=perhaps", null, 400)]
    [InlineData("POST", "/runs?background=1", null, 400)]
    [InlineData("GET", "/runs/r9", null, 404)]
    [InlineData("GET", "/runs/r9/events", null, 404)]
    [InlineData("GET", "/runs/r9/events?after=-1", null, 400)]
    [InlineData("GET", "/runs/r9/events", "application/json", 406)]
    [InlineData("GET", "/events?after=x", null, 400)]
    [InlineData("GET", "/../?state=none", null, 400)]
    [InlineData("GET", "/../?limit=0", null, 400)]
    [InlineData("GET", "/../?cursor=!", null, 400)]
    [InlineData("GET", "/../?metadata.a=1&metadata.a=2", null, 400)]
    public async Task What_makes_no_sense_is_a_problem(string method, string path, string? accept, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path.StartsWith("/../", StringComparison.Ordinal) ? "/v1/sandboxes" + path[4..] : $"/v1/sandboxes/{_sandbox}{path}");
        request.Content = method == "POST" ? new StringContent("""{"code":"1"}""", Encoding.UTF8, "application/json") : null;
        request.Headers.TryAddWithoutValidation("Accept", accept ?? "*/*");
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task A_run_whose_caller_hangs_up_goes_on_and_can_be_read()
    {
        var goOn = new TaskCompletionSource();
        _server.Cove.Run = async run =>
        {
            await goOn.Task;
            run.Print("after");
        };
        using (var request = new HttpRequestMessage(HttpMethod.Post, Runs) { Content = new StringContent("""{"code":"1","id":"r1"}""", Encoding.UTF8, "application/json") })
        {
            using var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }

        goOn.SetResult();
        Assert.Contains("after", await _server.Http.GetStringAsync(Runs + "/r1/events"), StringComparison.Ordinal);
        Assert.Empty(_server.Cove.Calls);
    }

    [Fact]
    public async Task In_the_background_a_run_is_answered_once_it_is_admitted()
    {
        var goOn = new TaskCompletionSource();
        _server.Cove.Run = _ => goOn.Task;
        using var response = await PostAsync(Runs + "?background=true", """{"code":"1","id":"r1"}""", null);
        Assert.Equal((HttpStatusCode.Accepted, Runs + "/r1"), (response.StatusCode, response.Headers.Location!.ToString()));
        Assert.Null((await _server.Client.GetRunAsync(_sandbox, new RunId("r1"))).Result);
        Assert.Equal("r1", Assert.Single(await _server.Client.ListRunsAsync(_sandbox)).Id.Value);
        goOn.SetResult();
        Assert.IsType<RunCompleted>((await _server.Client.ReadRunAsync(_sandbox, new RunId("r1")).ToListAsync())[^1]);
        Assert.NotNull((await _server.Client.GetRunAsync(_sandbox, new RunId("r1"))).Result);
    }

    [Fact]
    public async Task Standard_input_is_bytes_of_a_bounded_number()
    {
        var goOn = new TaskCompletionSource();
        _server.Cove.Run = _ => goOn.Task;
        var run = await _server.Client.StartRunAsync(_sandbox, new RunRequest { ShellLine = "cat", KeepStdinOpen = true });
        await _server.Client.WriteStdinAsync(_sandbox, run.Id, "ü"u8.ToArray());
        await _server.Client.WriteStdinAsync(_sandbox, run.Id, default, close: true);
        Assert.Equal(["stdin ü False", "stdin  True"], _server.Cove.Calls);
        using var large = new ByteArrayContent(new byte[(1 << 20) + 1]);
        large.Headers.ContentType = new("application/octet-stream");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Runs}/{run.Id}/stdin") { Content = large };
        request.Headers.ExpectContinue = true;
        using var refused = await _server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        using var text = await _server.Http.PostAsync($"{Runs}/{run.Id}/stdin", new StringContent("a"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
        goOn.SetResult();
    }

    [Fact]
    public async Task Sandboxes_are_extended_filtered_and_followed()
    {
        var extended = await _server.Client.ExtendSandboxAsync(_sandbox, new SandboxExtension { Lifetime = TimeSpan.FromHours(3), IdleTimeout = TimeSpan.FromSeconds(90) });
        Assert.Equal(TimeSpan.FromSeconds(90), extended.IdleTimeout);
        Assert.Equal("invalid_request", (await Assert.ThrowsAsync<CoveException>(() => _server.Client.ExtendSandboxAsync(_sandbox, new SandboxExtension()))).Error.Code);
        var other = (await _server.Cove.CreateSandboxAsync(new SandboxRequest { Template = "base", Metadata = new Dictionary<string, string> { ["a b"] = "ü&=" } })).Id;
        var found = await _server.Client.ListSandboxesAsync(new SandboxFilter { States = [SandboxState.Ready], Template = "base", Metadata = new Dictionary<string, string> { ["a b"] = "ü&=" } });
        Assert.Equal(other, Assert.Single(found.Sandboxes).Id);
        var first = await _server.Client.ListSandboxesAsync(new SandboxFilter { Limit = 1 });
        var second = await _server.Client.ListSandboxesAsync(new SandboxFilter { Limit = 1, Cursor = first.NextCursor });
        Assert.Null(second.NextCursor);
        Assert.Equal(new[] { _sandbox.Value, other.Value }.Order(), first.Sandboxes.Concat(second.Sandboxes).Select(s => s.Id.Value).Order());

        var following = _server.Client.ReadSandboxEventsAsync(_sandbox, follow: true).ToListAsync();
        _server.Cove.Happened.Append(new SandboxEvent { Sequence = 1, Time = default, Type = "created" }, last: false);
        _server.Cove.Happened.Append(new SandboxEvent { Sequence = 5, Time = default, Type = "ended", EndReason = SandboxEndReason.Deleted }, last: true);
        Assert.Equal([1L, 5L], (await Eventually.Within(following.AsTask())).Select(e => e.Sequence));
        Assert.Equal([5L], (await _server.Client.ReadSandboxEventsAsync(_sandbox, after: 1).ToListAsync()).Select(e => e.Sequence));
    }

    [Fact]
    public async Task An_idle_stream_of_server_sent_events_shows_that_it_lives()
    {
        var time = new FakeTimeProvider();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddSingleton<TimeProvider>(time).BuildServiceProvider() };
        context.Response.Body = body;
        var goOn = new TaskCompletionSource();
        var sending = RunAnswers.Sandboxes(context, AnswerForm.ServerSent).SendAsync(After(goOn.Task));
        await time.AdvanceUntil(Eventually.Within(Task.Run(() => Eventually.Holds(() => Text().Split(": alive\n\n").Length > 3, "three signs of life").ContinueWith(_ => true))), TimeSpan.FromSeconds(1));
        goOn.SetResult();
        await Eventually.Within(sending);
        Assert.EndsWith("id: 1\nevent: ended\ndata: {\"sequence\":1,\"time\":\"0001-01-01T00:00:00Z\",\"type\":\"ended\"}\n\n", Text(), StringComparison.Ordinal);

        string Text() => Encoding.UTF8.GetString(body.ToArray());
    }

    private static async IAsyncEnumerable<SandboxEvent> After(Task first)
    {
        await first;
        yield return new SandboxEvent { Sequence = 1, Time = default, Type = "ended" };
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body, string? accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        return await _server.Http.SendAsync(request);
    }
}
