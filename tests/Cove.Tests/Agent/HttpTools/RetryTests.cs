using Cove.Agent.HttpTools;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Cove.Tests.Agent.HttpTools;

public sealed class RetryTests
{
    private const int Repeats = 4301;
    private const string Get = "method: GET\nurl: BASE/x\n";
    private const string Post = "method: POST\nurl: BASE/x\n";
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Waits_double_and_are_shaken()
    {
        await using var bench = await BenchAsync(Get + "retry: {max: 3, base_delay_seconds: 1, max_delay_seconds: 60}\ntimeout: {per_try_seconds: 100, total_seconds: 600}", chance: 0.5);
        bench.Api.Answers((503, "{}", []));
        var result = await PassWaitsAsync(bench, bench.CallAsync());
        Assert.Equal(ToolErrorCategory.Unavailable, result.Error!.ErrorCategory);
        Assert.True(result.Error.IsRetryable);
        Assert.Equal(4, bench.Api.Requests.Count);
        var waits = Waits(bench);
        Assert.Equal(3, waits.Count);
        Assert.All(waits, wait => Assert.InRange(wait, 1, 60_000));
        Assert.True(waits[2] > waits[0], string.Join(", ", waits));
        await using var other = await BenchAsync(Get + "retry: {max: 3, base_delay_seconds: 1, max_delay_seconds: 60}\ntimeout: {per_try_seconds: 100, total_seconds: 600}", chance: 0.9);
        other.Api.Answers((503, "{}", []));
        await PassWaitsAsync(other, other.CallAsync());
        Assert.NotEqual(waits, Waits(other));
    }

    [Fact]
    public async Task A_wait_is_bounded()
    {
        await using var bench = await BenchAsync(Get + "retry: {max: 8, base_delay_seconds: 1, max_delay_seconds: 2}\ntimeout: {per_try_seconds: 100, total_seconds: 600}", chance: 0.99);
        bench.Api.Answers((503, "{}", []));
        await PassWaitsAsync(bench, bench.CallAsync());
        Assert.All(Waits(bench), wait => Assert.InRange(wait, 0, 2000));
        Assert.Equal(9, bench.Api.Requests.Count);
    }

    [Fact]
    public async Task Retry_after_is_honoured_in_seconds_and_as_a_date()
    {
        await using var bench = await BenchAsync(Get + "retry: {max: 3}\ntimeout: {per_try_seconds: 100, total_seconds: 600}");
        bench.Api.Answers((429, "{}", [("Retry-After", "7")]), (503, "{}", [("Retry-After", _clock.GetUtcNow().AddSeconds(7 + 4).ToString("R"))]), (200, "{}", []));
        Assert.Null((await PassWaitsAsync(bench, bench.CallAsync())).Error);
        Assert.Equal(2, Waits(bench).Count);
        Assert.Equal(7000, Waits(bench)[0], 1.0);
        Assert.Equal(4000, Waits(bench)[1], 1.0);
        Assert.Equal(3, bench.Api.Requests.Count);
    }

    [Theory]
    [InlineData("retry: {max: 3, max_delay_seconds: 10}\ntimeout: {total_seconds: 600}", 11)]
    [InlineData("retry: {max: 3, max_delay_seconds: 120}\ntimeout: {total_seconds: 30}", 31)]
    public async Task A_longer_wait_is_the_callers(string policy, int seconds)
    {
        await using var bench = await BenchAsync(Get + policy);
        bench.Api.Answers((429, "{}", [("Retry-After", seconds.ToString())]));
        var error = (await bench.CallAsync()).Error!;
        Assert.Equal(ToolErrorCategory.RateLimited, error.ErrorCategory);
        Assert.True(error.IsRetryable);
        Assert.Equal($"Wait {seconds} seconds, then try again.", error.Remediation);
        Assert.Single(bench.Api.Requests);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_post_is_never_repeated_blindly(int status)
    {
        await using var bench = await BenchAsync(Post + "body: {a: 1}\nretry: {max: 5, post: on_connect_failure}");
        bench.Api.Answers((status, "{}", []));
        Assert.NotNull((await bench.CallAsync()).Error);
        Assert.Single(bench.Api.Requests);
    }

    [Theory]
    [InlineData("body: {a: 1}")]
    [InlineData("")]
    public async Task A_post_whose_connection_breaks_is_not_repeated_and_says_that_it_may_have_been_done(string body)
    {
        await using var bench = await BenchAsync(Post + body + "\nretry: {max: 5, post: on_connect_failure}");
        Assert.Null((await bench.CallAsync()).Error); // the connection stands now, and is used again
        bench.Api.Answer = (_, context) =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        var error = (await bench.CallAsync()).Error!;
        Assert.Equal(ToolErrorCategory.Unavailable, error.ErrorCategory);
        Assert.False(error.IsRetryable);
        Assert.Contains("may have been done", error.Remediation, StringComparison.Ordinal);
        Assert.Equal(2, bench.Api.Requests.Count);
    }

    [Fact]
    public async Task With_an_idempotency_header_a_post_is_repeated_under_one_key()
    {
        await using var bench = await BenchAsync(Post + "body: {a: 1}\nretry: {max: 2, idempotency_header: Idempotency-Key}");
        bench.Api.Answers((503, "{}", []), (503, "{}", []), (200, "{}", []), (200, "{}", []));
        Assert.Null((await PassWaitsAsync(bench, bench.CallAsync())).Error);
        Assert.Null((await bench.CallAsync()).Error);
        var keys = bench.Api.Requests.Select(request => request.Headers["Idempotency-Key"]).ToArray();
        Assert.Equal(4, keys.Length);
        Assert.Single(keys[..3].Distinct());
        Assert.NotEqual(keys[2], keys[3]);
        Assert.True(Guid.TryParse(keys[0], out _));
    }

    [Theory]
    [InlineData("POST", "post: on_connect_failure", 3)]
    [InlineData("POST", "post: never", 0)]
    [InlineData("PATCH", "post: on_connect_failure", 3)]
    [InlineData("GET", "post: never", 3)]
    public async Task Where_no_connection_came_about_nothing_was_done(string method, string policy, int repeats)
    {
        await using var bench = await BenchAsync($"method: {method}\nurl: BASE/x\nretry: {{max: 3, {policy}}}");
        await bench.Api.DisposeAsync();
        var error = (await PassWaitsAsync(bench, bench.CallAsync())).Error!;
        Assert.Equal(ToolErrorCategory.Unavailable, error.ErrorCategory);
        Assert.Contains("Nothing was sent", error.Context, StringComparison.Ordinal);
        Assert.Equal(repeats, Waits(bench).Count);
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task What_is_the_same_twice_is_repeated(string method)
    {
        await using var bench = await BenchAsync($"method: {method}\nurl: BASE/x\nretry: {{max: 1}}");
        bench.Api.Answers((502, "{}", []), (200, "{}", []));
        Assert.Null((await PassWaitsAsync(bench, bench.CallAsync())).Error);
        Assert.Equal(2, bench.Api.Requests.Count);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(501)]
    public async Task What_stays_so_is_not_repeated(int status)
    {
        await using var bench = await BenchAsync(Get + "retry: {max: 5}");
        bench.Api.Answers((status, "{}", []));
        Assert.NotNull((await bench.CallAsync()).Error);
        Assert.Single(bench.Api.Requests);
    }

    [Fact]
    public async Task A_try_that_takes_too_long_is_followed_by_another_within_the_whole_time()
    {
        await using var bench = await BenchAsync(Get + "retry: {max: 1, base_delay_seconds: 1, max_delay_seconds: 1}\ntimeout: {per_try_seconds: 5, total_seconds: 60}");
        var seen = 0;
        bench.Api.Answer = async (_, context) =>
        {
            if (Interlocked.Increment(ref seen) == 1)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            await context.Response.WriteAsync("{}");
        };
        var call = bench.CallAsync();
        await Eventually.Holds(() => Volatile.Read(ref seen) == 1, "the first try arrives");
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Null((await PassWaitsAsync(bench, call)).Error);
        Assert.Equal(2, bench.Api.Requests.Count);
    }

    [Fact]
    public async Task The_whole_time_ends_a_wait()
    {
        await using var bench = await BenchAsync(Get + "retry: {max: 10, base_delay_seconds: 20, max_delay_seconds: 20}\ntimeout: {per_try_seconds: 5, total_seconds: 15}");
        bench.Api.Answers((503, "{}", []));
        var call = bench.CallAsync();
        await Eventually.Holds(() => Waits(bench).Count == 1 && _clock.Armed >= 2, "the wait begins");
        _clock.Advance(TimeSpan.FromSeconds(15));
        var error = (await Eventually.Within(call)).Error!;
        Assert.Equal(ToolErrorCategory.Timeout, error.ErrorCategory);
        Assert.Contains("15 s", error.Context, StringComparison.Ordinal);
        Assert.Single(bench.Api.Requests);
    }

    [Fact]
    public async Task A_host_that_fails_again_and_again_is_left_alone_for_a_while()
    {
        var circuit = "circuit: {failure_ratio: 1, minimum_tries: 3, window_seconds: 60, open_seconds: 30}\n";
        var other = "  - name: other\n    description: d\n    allow_private: true\n    input_schema: {type: object}\n    method: GET\n    url: BASE/other\n    retry: {max: 0}\n";
        await using var bench = await ToolBench.StartAsync(circuit + ToolBench.Tool(Get + "retry: {max: 0}") + other, Options(0.5));
        bench.Api.Answers((500, "{}", []));
        for (var i = 0; i < 3; i++)
        {
            Assert.Contains("answered 500", (await bench.CallAsync()).Error!.Context, StringComparison.Ordinal);
        }

        var open = (await bench.CallAsync()).Error!;
        Assert.Equal(ToolErrorCategory.Unavailable, open.ErrorCategory);
        Assert.True(open.IsRetryable);
        Assert.Contains("nothing was sent", open.Context, StringComparison.Ordinal);
        Assert.Contains("30 seconds", open.Remediation, StringComparison.Ordinal);
        Assert.Equal(3, bench.Api.Requests.Count);

        // It is the host's circuit, not the tool's.
        using var input = System.Text.Json.JsonDocument.Parse("{}");
        var call = new ToolCall { Id = "", Name = "other", Input = input.RootElement };
        Assert.Contains("nothing was sent", (await bench.Set[1].CallAsync(call, TestContext.Current.CancellationToken)).Error!.Context, StringComparison.Ordinal);

        // After the time one is let through, and decides.
        _clock.Advance(TimeSpan.FromSeconds(31));
        bench.Api.Answers((200, "{}", []));
        Assert.Null((await bench.CallAsync()).Error);
        Assert.Null((await bench.Set[1].CallAsync(call, TestContext.Current.CancellationToken)).Error);
        Assert.Equal([4302, 4303], bench.Log.Lines.Select(line => line.Event).Where(id => id is 4302 or 4303));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(429)]
    public async Task What_the_caller_did_wrong_opens_no_circuit(int status)
    {
        await using var bench = await ToolBench.StartAsync("circuit: {failure_ratio: 0.1, minimum_tries: 2}\n" + ToolBench.Tool(Get + "retry: {max: 0}"), Options(0.5));
        bench.Api.Answers((status, "{}", []));
        for (var i = 0; i < 6; i++)
        {
            Assert.Contains($"answered {status}", (await bench.CallAsync()).Error!.Context, StringComparison.Ordinal);
        }
    }

    private Task<ToolBench> BenchAsync(string fields, double chance = 0.5) => ToolBench.StartAsync(ToolBench.Tool(fields), Options(chance));

    private Func<HttpToolsetOptions, HttpToolsetOptions> Options(double chance) => options => options with { Time = _clock, Chance = () => chance };

    private static List<double> Waits(ToolBench bench) => [.. bench.Log.Lines.Where(line => line.Event == Repeats).Select(line => (double)line.Values["DelayMs"]!)];

    /// <summary>Lets every announced wait pass, and nothing else: the clock stands still while a request is on its way.</summary>
    private async Task<ToolResult> PassWaitsAsync(ToolBench bench, Task<ToolResult> call)
    {
        for (var passed = 0; ; passed++)
        {
            // While it waits, two timers run: its wait's, and that of the whole time.
            await Eventually.Holds(() => call.IsCompleted || (Waits(bench).Count > passed && _clock.Armed >= 2), "the next wait begins, or the call ends");
            if (call.IsCompleted)
            {
                return await call;
            }

            _clock.Advance(TimeSpan.FromTicks((long)Math.Ceiling(Waits(bench)[passed] * TimeSpan.TicksPerMillisecond)));
        }
    }
}
