using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cove.Server.Telemetry;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Telemetry;

public sealed class CorrelationTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    [Theory]
    [InlineData("req-1.A_z")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    public async Task A_callers_id_comes_back_and_goes_with_the_run_and_the_log(string id)
    {
        await using var server = await TcpServer.StartAsync();
        var sandbox = await server.SandboxAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox.Value}/runs") { Content = new StringContent("""{"code": "1"}""", Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Correlation-Id", id);
        request.Headers.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        using var response = await server.Http.SendAsync(request);

        Assert.Equal(id, Assert.Single(response.Headers.GetValues("X-Correlation-Id")));
        var answered = Assert.Single(response.Headers.GetValues("traceparent"));
        Assert.StartsWith($"00-{Trace}-", answered, StringComparison.Ordinal);
        Assert.DoesNotContain("b7ad6b7169203331", answered, StringComparison.Ordinal); // a span of its own
        Assert.Equal(id, server.Cove.LastRun!.CorrelationId);

        var line = (await server.EndAndReadLogAsync()).Select(l => JsonDocument.Parse(l).RootElement).Single(l => l.GetProperty("event_id").GetInt32() == 220);
        Assert.Equal(id, line.GetProperty("correlation_id").GetString());
        Assert.Equal(Trace, line.GetProperty("logging.googleapis.com/trace").GetString());
        Assert.Equal(answered[36..52], line.GetProperty("logging.googleapis.com/spanId").GetString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("new\\line;{}")]
    [InlineData("a~b")]
    [InlineData("129")]
    public async Task An_id_that_is_none_is_replaced(string? id)
    {
        await using var server = await TcpServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/sandboxes");
        if (id is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Correlation-Id", id == "129" ? new string('a', 129) : id);
        }

        using var response = await server.Http.SendAsync(request);
        var given = Assert.Single(response.Headers.GetValues("X-Correlation-Id"));
        Assert.Matches("^[0-9a-f]{32}$", given);
    }

    [Theory]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("nonsense")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    public async Task A_trace_that_is_none_is_replaced(string parent)
    {
        await using var server = await TcpServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.TryAddWithoutValidation("traceparent", parent);
        using var response = await server.Http.SendAsync(request);
        var answered = Assert.Single(response.Headers.GetValues("traceparent"));
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", answered);
        Assert.DoesNotContain("00000000000000000000000000000000", answered, StringComparison.Ordinal);
        Assert.DoesNotContain(Trace, answered, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_request_is_one_span_and_the_web_servers_is_none_beside_it()
    {
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var ended = new ConcurrentQueue<Activity>();
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == Correlation.SourceName, // the only one of the server's that is exported
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.TraceId.ToHexString() == trace)
                {
                    ended.Enqueue(activity);
                    _ = activity.GetTagItem("cove.correlation_id") is "last" && over.TrySetResult();
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using (var server = await TcpServer.StartAsync())
        {
            foreach (var id in new[] { "first", "last" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/sandboxes");
                request.Headers.Add("X-Correlation-Id", id);
                request.Headers.Add("traceparent", $"00-{trace}-b7ad6b7169203331-01");
                (await server.Http.SendAsync(request)).Dispose();
            }

            await Eventually.Within(over.Task);
        }

        // The server is gone, and with it every request: what was to end has ended.
        Assert.Equal(["first", "last"], ended.Select(activity => activity.GetTagItem("cove.correlation_id")));
        Assert.All(ended, activity => Assert.Equal(("GET /v1/sandboxes", "b7ad6b7169203331"), (activity.DisplayName, activity.ParentSpanId.ToHexString())));
    }

    [Fact]
    public async Task Refusals_and_errors_carry_the_id_too()
    {
        await using var server = await TcpServer.StartAsync();
        foreach (var (path, host) in new[] { ("/nowhere", "localhost"), ("/v1/sandboxes", "evil.example"), ("/v1/sandboxes/!", "localhost") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
            request.Headers.Add("X-Correlation-Id", "mine");
            using var response = await server.Http.SendAsync(request);
            Assert.False(response.IsSuccessStatusCode);
            Assert.Equal("mine", Assert.Single(response.Headers.GetValues("X-Correlation-Id")));
        }
    }

    [Fact]
    public async Task An_engine_notes_the_id_in_the_runs_first_event_and_in_what_is_known_of_it()
    {
        await using var engine = await EngineHarness.StartAsync();
        var sandbox = (await engine.CreateAsync()).Id;
        var events = await engine.RunAsync(sandbox, new RunRequest { Code = "1", CorrelationId = "abc-1" });
        var started = Assert.IsType<RunStarted>(events[0]);
        Assert.Equal("abc-1", started.CorrelationId);
        Assert.Equal("abc-1", (await engine.Engine.GetRunAsync(sandbox, started.Run)).CorrelationId);
        Assert.Equal("abc-1", (await engine.Engine.ReadRunAsync(sandbox, started.Run).CollectAsync(sandbox)).CorrelationId);
        var refused = await engine.RunAsync(sandbox, new RunRequest { Code = "1", CorrelationId = "a b" });
        Assert.Contains("correlation_id", Assert.IsType<RunCompleted>(refused[0]).Result.Error!.Message, StringComparison.Ordinal);
    }
}
