using System.Net;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Execute;

/// <summary>What the route asks of Cove, and what it makes of what Cove says.</summary>
public sealed class ExecuteEndpointsTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new();
    private FrontDoor _server = null!;

    public async ValueTask InitializeAsync() => _server = await FrontDoor.StartAsync(_cove);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("""{"code":"\ud800"}""")]
    [InlineData("""{"code":["print(1)"]}""")]
    [InlineData("""{"Code":"print(1)"}""")]
    [InlineData("null")]
    [InlineData("\"code\"")]
    [InlineData("""{"code":"print(1)"} x""")]
    public async Task A_body_without_code_makes_no_sandbox(string body)
    {
        using var response = await PostAsync(body);
        Assert.Equal((HttpStatusCode.BadRequest, """{"error":"Missing 'code' in request body."}"""), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Null(_cove.LastCreate);
    }

    [Fact]
    public async Task Deep_and_broken_bytes_are_no_code()
    {
        using var deep = await PostAsync("""{"code":"1","x":""" + new string('[', 100_000));
        Assert.Equal(HttpStatusCode.BadRequest, deep.StatusCode);
        using var bytes = new ByteArrayContent([.. "{\"code\":\""u8, 0xff, 0xfe, .. "\"}"u8]);
        bytes.Headers.ContentType = new("application/json");
        using var broken = await _server.Http.PostAsync("/execute", bytes);
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
        Assert.Null(_cove.LastCreate);
    }

    [Fact]
    public async Task A_body_beyond_its_bound_is_refused()
    {
        using var response = await PostAsync($$"""{"code":"{{new string('x', 7 << 20)}}"}""");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Null(_cove.LastCreate);
    }

    [Theory]
    [InlineData("1e9", 3600)]
    [InlineData("0.000001", 0.1)]
    [InlineData("2.5", 2.5)]
    [InlineData("null", 30)]
    public async Task A_timeout_is_brought_within_its_bounds_and_told(string timeout, double seconds)
    {
        using var response = await PostAsync($$"""{"code":"1","timeout":{{timeout}}}""");
        Assert.Contains($"\"timeout\":{seconds}", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(seconds), _cove.LastRun!.Timeout);
        Assert.Equal(TimeSpan.FromSeconds(seconds + 60), _cove.LastCreate!.MaxLifetime);
        Assert.Equal("python-data", _cove.LastCreate.Template);
    }

    [Theory]
    [InlineData("1e999")]
    [InlineData("0")]
    [InlineData("true")]
    public async Task A_timeout_that_is_none_is_refused_by_name(string timeout)
    {
        using var response = await PostAsync($$"""{"code":"1","timeout":{{timeout}}}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal($$"""{"error":"The field 'timeout' is {{timeout}}. Give seconds, as a number above 0."}""", await response.Content.ReadAsStringAsync());
        Assert.Null(_cove.LastCreate);
    }

    [Fact]
    public async Task The_answer_does_not_wait_for_the_teardown()
    {
        var teardown = new TaskCompletionSource();
        _cove.Deleting = teardown.Task;
        using var response = await PostAsync("""{"code":"1"}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var second = await PostAsync("""{"code":"1"}"""); // on the same connection
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal(2, _cove.Sandboxes.Count);
        teardown.SetResult();
        await Eventually.Holds(() => _cove.Sandboxes.IsEmpty, "both sandboxes are deleted");
    }

    [Fact]
    public async Task Hanging_up_cancels_the_run_and_deletes_its_sandbox()
    {
        _cove.Run = run => run.Interrupted;
        using var hangUp = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/execute") { Content = Json("""{"code":"1"}""") };
        var asking = _server.Http.SendAsync(request, hangUp.Token);
        await Eventually.Holds(() => _cove.LastRun is not null, "the run has begun");
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await Eventually.Within(_cove.RunCancelled.Task);
        await Eventually.Holds(() => _cove.Sandboxes.IsEmpty, "the sandbox is deleted");
    }

    [Fact]
    public async Task A_sandbox_of_ones_own_is_not_deleted()
    {
        var sandbox = (await _cove.CreateSandboxAsync(new SandboxRequest())).Id;
        using var response = await PostAsync($$"""{"code":"1","sandbox_id":"{{sandbox}}"}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(_cove.Sandboxes);
    }

    [Theory]
    [InlineData("kernel_busy", ErrorCategory.Conflict, HttpStatusCode.Conflict)]
    [InlineData("invalid_request", ErrorCategory.Request, HttpStatusCode.BadRequest)]
    public async Task A_run_that_is_refused_is_a_problem(string code, ErrorCategory category, HttpStatusCode status)
    {
        _cove.Run = run =>
        {
            run.Result = FakeCoveRun.Ended(RunOutcome.Refused, null, FakeCove.Error(code, category).Error);
            return Task.CompletedTask;
        };
        using var response = await PostAsync("""{"code":"1"}""");
        Assert.Equal(status, response.StatusCode);
        Assert.Contains($"\"code\":\"{code}\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Eventually.Holds(() => _cove.Sandboxes.IsEmpty, "the sandbox is deleted");
    }

    [Fact]
    public async Task Too_many_images_are_left_out_and_that_is_said()
    {
        _cove.Run = run =>
        {
            for (var i = 0; i < 3; i++)
            {
                run.Show(isResult: false, ("image/png", new string('A', 12 << 20)), ("text/plain", "<Figure>"));
            }

            return Task.CompletedTask;
        };
        using var response = await PostAsync("""{"code":"1","images":true}""");
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(2, text.Split("\"type\":\"image/png\"").Length - 1);
        Assert.Contains("was left out", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_correlation_id_is_in_the_answer_and_goes_on_to_the_run()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/execute") { Content = Json("""{"code":"1","details":true}""") };
        request.Headers.Add("X-Correlation-Id", "session-7");
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal("session-7", response.Headers.GetValues("X-Correlation-Id").Single());
        Assert.Contains("\"correlation_id\":\"session-7\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("session-7", _cove.LastRun!.CorrelationId);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task<HttpResponseMessage> PostAsync(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/execute") { Content = Json(body) };
        request.Headers.ExpectContinue = body.Length > 1 << 20; // or a refusal may be lost in the broken pipe of what is still being sent
        return await _server.Http.SendAsync(request);
    }
}
