using System.Net;
using Cove.Server.Access.Idempotency;
using Cove.Server.Access.Quotas;
using Cove.Server.State;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Access;

/// <summary>A request that is sent twice happens once.</summary>
public sealed class IdempotencyTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeCove _cove = new();

    public void Dispose() => _directory.Dispose();

    private StateOptions Options => new() { DataDirectory = Path.Combine(_directory.Path, "data"), Time = _time };

    [Fact]
    public async Task The_same_request_is_answered_the_same_for_a_day_also_after_a_restart()
    {
        string key, first;
        await using (var server = await AccessServer.StartAsync(_cove, Options))
        {
            key = await server.KeyAsync();
            (var status, first, var replayed) = await CreateAsync(server, key, "one");
            Assert.Equal((HttpStatusCode.Created, false), (status, replayed));
            Assert.Equal((HttpStatusCode.Created, first, true), await CreateAsync(server, key, "one"));
        }

        await using (var server = await AccessServer.StartAsync(_cove, Options))
        {
            Assert.Equal((HttpStatusCode.Created, first, true), await CreateAsync(server, key, "one"));
            Assert.Single(_cove.Sandboxes);
            _time.Advance(TimeSpan.FromHours(24));
            var (_, later, _) = await CreateAsync(server, key, "one");
            Assert.NotEqual(first, later);
        }
    }

    [Fact]
    public async Task The_location_is_told_again()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var key = await server.KeyAsync();
        using var first = await server.SendAsync("POST", "/v1/sandboxes", key, "{}", ("Idempotency-Key", "k"));
        using var second = await server.SendAsync("POST", "/v1/sandboxes", key, "{}", ("Idempotency-Key", "k"));
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.NotNull(second.Headers.Location);
    }

    [Fact]
    public async Task Another_body_under_the_same_key_is_refused()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var key = await server.KeyAsync();
        await CreateAsync(server, key, "one");
        var (status, body, _) = await CreateAsync(server, key, "one", """{"template":"other"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("idempotency_mismatch", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_project_has_keys_of_its_own()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var (_, one, _) = await CreateAsync(server, await server.KeyAsync("alpha"), "same");
        var (status, two, replayed) = await CreateAsync(server, await server.KeyAsync("beta"), "same");
        Assert.Equal((HttpStatusCode.Created, false), (status, replayed));
        Assert.NotEqual(one, two);
    }

    [Fact]
    public async Task Of_many_at_once_one_happens()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var key = await server.KeyAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => CreateAsync(server, key, "one")));
        Assert.Single(_cove.Sandboxes);
        Assert.Single(answers, a => a is { Status: HttpStatusCode.Created, Replayed: false });
        Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.Created or HttpStatusCode.Conflict, a.Body));
        Assert.Single(answers.Where(a => a.Status == HttpStatusCode.Created).Select(a => a.Body).Distinct());
    }

    [Fact]
    public async Task A_final_refusal_is_kept_and_a_passing_one_is_not()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options, new QuotaOptions { MaxSandboxes = 1 });
        var key = await server.KeyAsync();
        var bad = await CreateAsync(server, key, "bad", "{");
        Assert.Equal(HttpStatusCode.BadRequest, bad.Status);
        Assert.Equal((HttpStatusCode.BadRequest, bad.Body, true), await CreateAsync(server, key, "bad", "{"));

        var first = await server.SandboxAsync(key);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await CreateAsync(server, key, "two")).Status);
        using (await server.SendAsync("DELETE", "/v1/sandboxes/" + first.Value, key))
        {
            Assert.Equal(HttpStatusCode.Created, (await CreateAsync(server, key, "two")).Status);
        }
    }

    [Fact]
    public async Task A_kernel_is_made_once_and_in_the_sandbox_that_was_named()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var key = await server.KeyAsync();
        var (one, two) = (await server.SandboxAsync(key), await server.SandboxAsync(key));
        foreach (var (sandbox, replayed) in new[] { (one, false), (one, true), (two, false) })
        {
            using var answer = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox.Value}/kernels", key, """{"id":"k","language":"python"}""", ("Idempotency-Key", "k"));
            Assert.Equal((HttpStatusCode.Created, replayed), (answer.StatusCode, answer.Headers.Contains("Idempotency-Replayed")));
        }
    }

    [Fact]
    public async Task A_caller_that_hangs_up_and_asks_again_is_given_the_answer_of_the_first_run()
    {
        var (begun, ends) = (new TaskCompletionSource(), new TaskCompletionSource());
        _cove.Run = _ =>
        {
            begun.TrySetResult();
            return ends.Task;
        };
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        using var hangUp = new CancellationTokenSource();
        var first = server.Http.SendAsync(RunRequest(sandbox, key, ""), hangUp.Token);
        await Eventually.Within(begun.Task);
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        for (var i = 0; i < 20; i++)
        {
            using var early = await server.Http.SendAsync(RunRequest(sandbox, key, ""));
            Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);
        }

        ends.SetResult();
        await AnsweredAgainAsync(server, RunRequest, sandbox, key, "");
        Assert.Single(await _cove.ListRunsAsync(sandbox));
    }

    [Fact]
    public async Task A_run_that_ends_with_its_caller_still_does_under_a_key()
    {
        var begun = new TaskCompletionSource();
        _cove.Run = run =>
        {
            begun.TrySetResult();
            return run.Interrupted;
        };
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        using var hangUp = new CancellationTokenSource();
        var first = server.Http.SendAsync(RunRequest(sandbox, key, "?on_disconnect=interrupt"), hangUp.Token);
        await Eventually.Within(begun.Task);
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Eventually.Within(_cove.RunCancelled.Task);
        await AnsweredAgainAsync(server, RunRequest, sandbox, key, "?on_disconnect=interrupt");
        Assert.Single(await _cove.ListRunsAsync(sandbox));
    }

    [Fact]
    public async Task Answers_that_take_more_room_than_a_project_has_are_dropped_the_oldest_first_and_nothing_happens_twice()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options, change: access => access with { KeptAnswers = new KeptAnswers(mostBytes: 4000) });
        var (key, other) = (await server.KeyAsync(), await server.KeyAsync("beta"));
        Assert.Equal(HttpStatusCode.Created, (await CreateAsync(server, other, "0")).Status);
        for (var i = 0; i < 40; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(HttpStatusCode.Created, (await CreateAsync(server, key, $"{i}")).Status);
        }

        await server.State.Writer.FlushAsync();
        var again = new List<(HttpStatusCode Status, string Body, bool Replayed)>();
        for (var i = 0; i < 40; i++)
        {
            again.Add(await CreateAsync(server, key, $"{i}"));
        }

        var kept = again.SkipWhile(a => a.Status == HttpStatusCode.Conflict).ToList();
        Assert.All(again.Take(40 - kept.Count), a => Assert.Contains("idempotency_dropped", a.Body, StringComparison.Ordinal));
        Assert.All(kept, a => Assert.Equal((HttpStatusCode.Created, true), (a.Status, a.Replayed)));
        Assert.InRange(kept.Sum(a => a.Body.Length), 1, 5000); // its room, and the eighth of it after which it is looked at
        Assert.True((await CreateAsync(server, other, "0")).Replayed);
        Assert.Equal(41, _cove.Sandboxes.Count);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    public async Task Of_more_requests_than_a_project_may_have_known_the_oldest_are_forgotten_answered_whole_or_as_streams(string accept)
    {
        await using var server = await AccessServer.StartAsync(_cove, Options, change: access => access with { KeptAnswers = new KeptAnswers(mostRequests: 16) });
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        for (var i = 0; i < 40; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await RunAsync($"{i}");
        }

        await server.State.Writer.FlushAsync();
        Assert.Equal(40, (await _cove.ListRunsAsync(sandbox)).Count);
        await RunAsync("39"); // known: given again, or refused
        Assert.Equal(40, (await _cove.ListRunsAsync(sandbox)).Count);
        await RunAsync("0"); // forgotten
        Assert.Equal(41, (await _cove.ListRunsAsync(sandbox)).Count);

        async Task RunAsync(string name)
        {
            using var answer = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox.Value}/runs", key, """{"code":"1"}""", ("Accept", accept), ("Idempotency-Key", name));
            await answer.Content.ReadAsStringAsync();
        }
    }

    private static Task AnsweredAgainAsync(AccessServer server, Func<SandboxId, string, string, HttpRequestMessage> request, SandboxId sandbox, string key, string query) => Eventually.Holds(
        async () =>
        {
            using var again = await server.Http.SendAsync(request(sandbox, key, query));
            return again.StatusCode == HttpStatusCode.OK && again.Headers.Contains("Idempotency-Replayed");
        },
        "the first run's answer is given again");

    private static HttpRequestMessage RunRequest(SandboxId sandbox, string key, string query)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox.Value}/runs{query}") { Content = new StringContent("""{"code":"1"}""", System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Add("X-API-Key", key);
        request.Headers.Add("Accept", "application/json");
        request.Headers.Add("Idempotency-Key", "run-once");
        return request;
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("LONG")]
    public async Task A_key_that_is_none_is_refused(string name)
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var (status, _, _) = await CreateAsync(server, await server.KeyAsync(), name == "LONG" ? new string('k', 256) : name);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Empty(_cove.Sandboxes);
    }

    [Fact]
    public async Task A_body_without_end_is_refused()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var (status, _, _) = await CreateAsync(server, await server.KeyAsync(), "k", new string(' ', (1 << 20) + 1) + "{}");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
    }

    private static async Task<(HttpStatusCode Status, string Body, bool Replayed)> CreateAsync(AccessServer server, string key, string name, string body = "{}")
    {
        using var answer = await server.SendAsync("POST", "/v1/sandboxes", key, body, ("Idempotency-Key", name));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.Contains("Idempotency-Replayed"));
    }
}
