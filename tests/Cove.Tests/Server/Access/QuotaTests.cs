using System.Net;
using Cove.Server.Access.Audit;
using Cove.Server.Access.Quotas;
using Cove.Server.Access.Tenancy;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.Access;

/// <summary>A project uses what it may and no more, however many ask at once.</summary>
public sealed class QuotaTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeCove _cove = new();

    public void Dispose() => _directory.Dispose();

    private StateOptions Options => new() { DataDirectory = Path.Combine(_directory.Path, "data"), Time = _time };

    [Fact]
    public async Task Two_hundred_at_once_make_no_more_sandboxes_than_the_quota()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options, new QuotaOptions { MaxSandboxes = 10 });
        var key = await server.KeyAsync("alpha");
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => server.SendAsync("POST", "/v1/sandboxes", key, "{}")));
        Assert.Equal(10, answers.Count(a => a.StatusCode == HttpStatusCode.Created));
        Assert.Equal(190, answers.Count(a => a.StatusCode == HttpStatusCode.TooManyRequests));
        Assert.Equal(10, _cove.Sandboxes.Count);
        var refused = answers.First(a => a.StatusCode == HttpStatusCode.TooManyRequests);
        var text = await refused.Content.ReadAsStringAsync();
        Assert.Contains("\"code\":\"quota_exceeded\"", text, StringComparison.Ordinal);
        Assert.Contains("\"limit\":\"sandboxes\",\"limit_value\":10", text, StringComparison.Ordinal);
        Assert.Contains("cove project set alpha --sandboxes", text, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(5), refused.Headers.RetryAfter!.Delta);

        // Another project has room of its own, and what is deleted makes room at once.
        await server.SandboxAsync(await server.KeyAsync("beta"));
        using (await server.SendAsync("DELETE", "/v1/sandboxes/" + server.Access.Ledger.Of("alpha")[0].Id.Value, key))
        {
            await server.SandboxAsync(key);
        }
    }

    [Fact]
    public async Task The_memory_of_all_sandboxes_is_bounded_and_what_ended_by_itself_makes_room()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options, new QuotaOptions { MaxMemoryBytes = 3L << 30 });
        var key = await server.KeyAsync();
        var first = await server.SandboxAsync(key);
        await server.SandboxAsync(key);
        await server.SandboxAsync(key);
        using (var refused = await server.SendAsync("POST", "/v1/sandboxes", key, """{"template":"base"}"""))
        {
            Assert.Contains("\"limit\":\"memory\"", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        _cove.Sandboxes[first] = _cove.Sandboxes[first] with { State = SandboxState.Ended, EndReason = SandboxEndReason.IdleTimeout };
        await server.SandboxAsync(key);
        Assert.Equal(SandboxEndReason.IdleTimeout, (await server.State.Sandboxes.FindAsync(first, "default"))!.EndReason);
    }

    [Fact]
    public async Task A_creation_that_fails_gives_its_room_back()
    {
        await using var state = await StateStore.OpenAsync(Options, NullLogger.Instance);
        var (engine, record) = RecordingCove.Create();
        record.Answer = (name, _) => name == nameof(ICove.ListTemplatesAsync) ? Task.FromResult<IReadOnlyList<TemplateInfo>>([])
            : name == nameof(ICove.CreateSandboxAsync) ? throw FakeCove.Error("cell_start_failed", ErrorCategory.Infrastructure, retryable: true)
            : Task.CompletedTask;
        await using var ledger = new Ledger(engine, state, _ => null, NullLogger.Instance);
        var quota = new ProjectQuota("alpha", new QuotaOptions { MaxSandboxes = 1 }, state);
        var view = new ProjectCove(ledger, quota, "alpha", null, new AuditNote());
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("cell_start_failed", (await Assert.ThrowsAsync<CoveException>(() => view.CreateSandboxAsync(new SandboxRequest()))).Error.Code);
        }

        Assert.Equal((0, 0), (quota.Sandboxes, quota.Memory));
    }

    [Fact]
    public async Task A_sandbox_that_can_not_be_written_down_is_not_kept()
    {
        await using var state = await StateStore.OpenAsync(Options, NullLogger.Instance);
        await using var ledger = new Ledger(_cove, state, _ => null, NullLogger.Instance);
        var quota = new ProjectQuota("none", new QuotaOptions(), state); // no such project: the row is refused
        var view = new ProjectCove(ledger, quota, "none", null, new AuditNote());
        Assert.Equal("state_unavailable", (await Assert.ThrowsAsync<CoveException>(() => view.CreateSandboxAsync(new SandboxRequest()))).Error.Code);
        Assert.Empty(_cove.Sandboxes);
        Assert.Equal((0, 0), (quota.Sandboxes, quota.Memory));
    }

    [Fact]
    public async Task A_database_that_refused_a_sandbox_behind_its_creation_is_waited_for_by_the_next()
    {
        await using var state = await StateStore.OpenAsync(Options, NullLogger.Instance);
        await state.BeginServingAsync();
        await using var ledger = new Ledger(_cove, state, _ => null, NullLogger.Instance);
        var view = new ProjectCove(ledger, new ProjectQuota("none", new QuotaOptions(), state), "none", null, new AuditNote());
        var made = await view.CreateSandboxAsync(new SandboxRequest()); // it is in the data directory, and accounted for there
        await state.Writer.FlushAsync();
        Assert.Equal((1, true), (state.Writer.Lost, state.Writer.IsFailing));
        Assert.NotEqual(0, Spooled());
        Assert.Equal("state_unavailable", (await Assert.ThrowsAsync<CoveException>(() => view.CreateSandboxAsync(new SandboxRequest()))).Error.Code);
        Assert.Equal(made.Id, Assert.Single(_cove.Sandboxes).Key);

        // Once the database takes it, its end brings it in.
        await state.Projects.AddAsync("none", state.Time.GetUtcNow());
        await view.DeleteSandboxAsync(made.Id);
        await ledger.SweepAsync();
        Assert.Equal(SandboxState.Ended, (await state.Sandboxes.FindAsync(made.Id, "none"))?.State);
        Assert.Equal((false, 0), (state.Writer.IsFailing, Spooled()));

        long Spooled() => Directory.GetFiles(Options.DataDirectory, "sandboxes.*.jsonl").Sum(file => new FileInfo(file).Length);
    }

    [Fact]
    public async Task Requests_beyond_the_rate_are_told_when_to_come_back()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options, new QuotaOptions { RequestsPerMinute = 5 });
        var key = await server.KeyAsync();
        for (var left = 4; left >= 0; left--)
        {
            using var answer = await server.SendAsync("GET", "/v1/sandboxes", key);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(("5", left.ToString()), (answer.Headers.GetValues("RateLimit-Limit").Single(), answer.Headers.GetValues("RateLimit-Remaining").Single()));
        }

        using var refused = await server.SendAsync("GET", "/v1/sandboxes", key);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal((TimeSpan.FromSeconds(12), "60"), (refused.Headers.RetryAfter!.Delta, refused.Headers.GetValues("RateLimit-Reset").Single()));
        _time.Advance(TimeSpan.FromSeconds(12));
        using var again = await server.SendAsync("GET", "/v1/sandboxes", key);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task Processor_time_is_charged_as_measured_outside_and_ends_work_for_the_day_also_after_a_restart()
    {
        var used = TimeSpan.FromSeconds(3);
        var quotas = new QuotaOptions { CpuSecondsPerDay = 5 };
        string key;
        await using (var server = await AccessServer.StartAsync(_cove, Options, quotas, options => options with { CpuTime = _ => used }))
        {
            key = await server.KeyAsync();
            var sandbox = await server.SandboxAsync(key);
            Assert.Equal(HttpStatusCode.OK, await RunAsync(server, sandbox, key));
            await server.Access.Ledger.SweepAsync();
            Assert.Equal(HttpStatusCode.OK, await RunAsync(server, sandbox, key));
            used = TimeSpan.FromSeconds(6);
            await server.Access.Ledger.SweepAsync();
            Assert.Equal(HttpStatusCode.TooManyRequests, await RunAsync(server, sandbox, key));
            await server.State.Writer.FlushAsync();
            var runs = await server.State.Runs.ListAsync(sandbox);
            Assert.Equal([TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3)], runs.Select(run => run.CpuTime!.Value));
        }

        await using (var server = await AccessServer.StartAsync(_cove, Options, quotas))
        {
            using var refused = await server.SendAsync("POST", "/v1/sandboxes", key, "{}");
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.FromHours(20), "Retry-After is not the end of the day.");
            _time.Advance(TimeSpan.FromDays(1));
            using var tomorrow = await server.SendAsync("POST", "/v1/sandboxes", key, "{}");
            Assert.Equal(HttpStatusCode.Created, tomorrow.StatusCode);
        }
    }

    [Fact]
    public async Task Where_the_host_counts_nothing_wall_time_is_charged()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options);
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        Assert.Equal(HttpStatusCode.OK, await RunAsync(server, sandbox, key));
        await server.State.Writer.FlushAsync();
        Assert.Equal(2, await server.State.Projects.CpuAsync("default", _time.GetUtcNow().ToUnixTimeSeconds() / 86_400)); // the fake's runs take 1.5 ms
    }

    [Fact]
    public async Task A_projects_own_quota_rules_within_two_seconds()
    {
        await using var server = await AccessServer.StartAsync(_cove, Options, new QuotaOptions { MaxSandboxes = 1 });
        var key = await server.KeyAsync("alpha");
        await server.SandboxAsync(key);
        await server.State.Projects.SetAsync(new StoredProject("alpha") { MaxSandboxes = 2 });
        _time.Advance(TimeSpan.FromSeconds(2));
        await server.SandboxAsync(key);
        using var third = await server.SendAsync("POST", "/v1/sandboxes", key, "{}");
        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
    }

    private static async Task<HttpStatusCode> RunAsync(AccessServer server, SandboxId sandbox, string key)
    {
        using var response = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox.Value}/runs", key, """{"code":"1"}""");
        await response.Content.ReadAsStringAsync();
        return response.StatusCode;
    }
}
