using Cove.Engine;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Sandboxes;

/// <summary>The life of a sandbox through the engine's door.</summary>
public sealed class SandboxTests
{
    [Fact]
    public async Task A_sandbox_is_described_listed_and_remembered_after_its_end()
    {
        await using var harness = await EngineHarness.StartAsync();
        var labels = new Dictionary<string, string> { ["a"] = "b" };
        var (id, cell) = await harness.CreateAsync(new SandboxRequest { Metadata = labels });
        labels["a"] = "changed";
        var info = await harness.Engine.GetSandboxAsync(id);
        Assert.Equal((SandboxState.Ready, "python-data", "b"), (info.State, info.Template, info.Metadata!["a"]));
        Assert.Equal(id, Assert.Single((await harness.Engine.ListSandboxesAsync()).Sandboxes).Id);
        Assert.Equal("1.2.3", Assert.Single(await harness.Engine.ListKernelsAsync(id)).Version);

        await harness.Engine.DeleteSandboxAsync(id);
        await Eventually.Holds(() => harness.Engine.GetSandboxAsync(id).Result.State == SandboxState.Ended, "the sandbox ended");
        Assert.True(cell.Disposed);
        Assert.Empty((await harness.Engine.ListSandboxesAsync()).Sandboxes);
        var after = await harness.Engine.GetSandboxAsync(id);
        Assert.Equal((SandboxState.Ended, SandboxEndReason.Deleted), (after.State, after.EndReason));
        await harness.Engine.DeleteSandboxAsync(id);
        var ended = await Assert.ThrowsAsync<CoveException>(() => harness.Engine.StatFileAsync(id, "/tmp/x"));
        Assert.Equal("sandbox_ended", ended.Error.Code);
        var missing = await Assert.ThrowsAsync<CoveException>(() => harness.Engine.GetSandboxAsync(new SandboxId("nosuch")));
        Assert.Equal("sandbox_not_found", missing.Error.Code);
        var refused = await harness.RunAsync(new SandboxId("nosuch"), new RunRequest { Code = "1" });
        Assert.Equal("sandbox_not_found", ((RunCompleted)refused[0]).Result.Error!.Code);
    }

    [Fact]
    public async Task A_deleted_sandbox_is_killed_and_unreachable_and_holds_its_place_until_it_is_freed()
    {
        await using var harness = await EngineHarness.StartAsync(options: options => options with { MaxSandboxes = 1 });
        var (id, cell) = await harness.CreateAsync();
        var freed = new TaskCompletionSource();
        cell.BeforeFreed = () => freed.Task;
        cell.OnExecute = _ => Task.CompletedTask; // it never ends by itself
        var running = harness.ResultAsync(id, "long", TimeSpan.FromHours(1));
        await cell.RunsAsync();

        await Eventually.Within(harness.Engine.DeleteSandboxAsync(id));
        Assert.True(cell.Exited.IsCompleted);
        Assert.Equal(RunOutcome.Killed, (await Eventually.Within(running)).Outcome);
        var info = await harness.Engine.GetSandboxAsync(id);
        Assert.Equal((SandboxState.Ending, SandboxEndReason.Deleted), (info.State, info.EndReason));
        Assert.Equal("sandbox_ended", (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.StatFileAsync(id, "/tmp/x"))).Error.Code);
        var next = harness.CreateAsync();
        Assert.False(next.IsCompleted);

        freed.SetResult();
        await Eventually.Within(next);
        Assert.Equal(SandboxState.Ended, (await harness.Engine.GetSandboxAsync(id)).State);
    }

    [Fact]
    public async Task An_idle_sandbox_ends_but_one_with_a_run_in_progress_is_not_idle()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync(new SandboxRequest { IdleTimeout = TimeSpan.FromMinutes(1) });
        var release = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            await release.Task;
            await run.DoneAsync();
        };
        var running = harness.ResultAsync(id, "long", TimeSpan.FromHours(1));
        await cell.RunsAsync();
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(SandboxState.Ready, (await harness.Engine.GetSandboxAsync(id)).State);
        release.SetResult();
        Assert.Equal(RunOutcome.Ok, (await Eventually.Within(running)).Outcome);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(SandboxState.Ready, (await harness.Engine.GetSandboxAsync(id)).State);
        time.Advance(TimeSpan.FromSeconds(62));
        await Eventually.Holds(() => harness.Engine.GetSandboxAsync(id).Result.State == SandboxState.Ended, "the sandbox ended");
        Assert.Equal(SandboxEndReason.IdleTimeout, (await harness.Engine.GetSandboxAsync(id)).EndReason);
    }

    [Fact]
    public async Task The_maximum_lifetime_ends_a_sandbox_whatever_it_does()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync(new SandboxRequest { MaxLifetime = TimeSpan.FromMinutes(5) });
        cell.OnExecute = async run => await run.Kernel.Exited;
        var running = harness.ResultAsync(id, "long", TimeSpan.FromHours(1));
        await cell.RunsAsync();
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("sandbox_ended", (await Eventually.Within(running)).Error!.Code);
        Assert.Equal(SandboxEndReason.MaxLifetime, (await harness.Engine.GetSandboxAsync(id)).EndReason);
    }

    [Fact]
    public async Task Stopping_the_engine_ends_everything_and_refuses_what_comes_after()
    {
        var harness = await EngineHarness.StartAsync();
        var (_, cell) = await harness.CreateAsync();
        await harness.DisposeAsync();
        Assert.True(cell.Disposed);
        Assert.True(harness.Backend.Stopped);
        await Eventually.Holds(() => harness.Backend.Cells.All(c => c.Disposed), "every cell was freed");
        var stopped = await Assert.ThrowsAsync<CoveException>(() => harness.Engine.CreateSandboxAsync(new SandboxRequest()));
        Assert.Equal("engine_stopped", stopped.Error.Code);
    }

    [Fact]
    public async Task Usage_joins_what_the_host_counts_and_what_the_files_take()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, _) = await harness.CreateAsync();
        var usage = await harness.Engine.GetUsageAsync(id);
        Assert.Equal((10L << 20, 4096L, 7L), (usage.MemoryBytes, usage.DiskBytes, usage.Inodes));
        Assert.Equal(TimeSpan.FromMilliseconds(1), usage.CpuTime);
    }

    public static TheoryData<string, SandboxRequest> Bad => new()
    {
        { "template", new SandboxRequest { Template = "nosuch" } },
        { "idle_timeout_ms", new SandboxRequest { IdleTimeout = TimeSpan.Zero } },
        { "idle_timeout_ms", new SandboxRequest { IdleTimeout = TimeSpan.FromHours(25) } },
        { "max_lifetime_ms", new SandboxRequest { MaxLifetime = TimeSpan.FromDays(31) } },
        { "create_timeout_ms", new SandboxRequest { CreateTimeout = TimeSpan.FromMinutes(11) } },
        { "create_timeout_ms", new SandboxRequest { CreateTimeout = TimeSpan.FromSeconds(-1) } },
        { "limits.memory_bytes", new SandboxRequest { Limits = new() { MemoryBytes = 1 } } },
        { "limits.cpu_millis", new SandboxRequest { Limits = new() { CpuMillis = 9 } } },
        { "limits.pids", new SandboxRequest { Limits = new() { Pids = 7 } } },
        { "limits.disk_bytes", new SandboxRequest { Limits = new() { DiskBytes = 0 } } },
        { "limits.disk_bytes", new SandboxRequest { Limits = new() { DiskBytes = 900L << 20 } } },
        { "limits.disk_bytes", new SandboxRequest { Limits = new() { MemoryBytes = 128 << 20, DiskBytes = 65 << 20 } } },
        { "limits.inodes", new SandboxRequest { Limits = new() { Inodes = 63 } } },
        { "limits.open_files", new SandboxRequest { Limits = new() { OpenFiles = 31 } } },
        { "environment", new SandboxRequest { Environment = new Dictionary<string, string> { ["A=B"] = "" } } },
        { "environment", new SandboxRequest { Environment = new Dictionary<string, string> { ["A"] = new('x', 300_000) } } },
        { "environment", new SandboxRequest { Environment = Enumerable.Range(0, 1001).ToDictionary(i => $"A{i}", _ => "") } },
        { "environment.A", new SandboxRequest { Environment = new Dictionary<string, string> { ["A"] = null! } } },
        { "metadata", new SandboxRequest { Metadata = Enumerable.Range(0, 65).ToDictionary(i => $"A{i}", _ => "") } },
        { "metadata", new SandboxRequest { Metadata = new Dictionary<string, string> { ["A"] = new('x', 17_000) } } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_field_of_a_request_is_named(string field, SandboxRequest request)
    {
        await using var harness = await EngineHarness.StartAsync();
        var error = (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.CreateSandboxAsync(request))).Error;
        Assert.Equal("invalid_request", error.Code);
        Assert.Contains($"'{field}'", error.Message, StringComparison.Ordinal);
        Runs.RunRulesTests.AssertOnTheWire(field, Wire.CoveJson.Wire.SandboxRequest);
    }

    [Fact]
    public async Task A_time_is_said_in_the_milliseconds_it_is_given_in()
    {
        await using var harness = await EngineHarness.StartAsync();
        var error = (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.CreateSandboxAsync(new SandboxRequest { IdleTimeout = TimeSpan.FromHours(25) }))).Error;
        Assert.Contains("'90000000'", error.Message, StringComparison.Ordinal);
        Assert.Equal("Give 1000 to 86400000 (milliseconds; at most 24 h).", error.Remediation);
    }

    [Fact]
    public async Task A_disk_that_does_not_fit_its_memory_says_both_and_the_way_out()
    {
        await using var harness = await EngineHarness.StartAsync();
        var error = (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.CreateSandboxAsync(new SandboxRequest { Limits = new() { DiskBytes = 600L << 20 } }))).Error;
        Assert.Contains("'limits.disk_bytes'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'limits.memory_bytes' of at least {1200L << 20}", error.Remediation, StringComparison.Ordinal);
        Assert.Equal(512L << 20, (await harness.Engine.CreateSandboxAsync(new SandboxRequest { Limits = new() { DiskBytes = 512L << 20 } })).Limits.DiskBytes);
    }

    [Fact]
    public async Task Options_are_checked_before_anything_is_made_of_them()
    {
        var engine = new EngineOptions { TemplatesDirectory = "/nowhere/at/all", AllowDegraded = new HashSet<string> { "network" } };
        var options = new LocalEngineOptions { Engine = engine, GuestDirectory = "/nowhere", StateDirectory = "/nowhere" };
        var error = (await Assert.ThrowsAsync<CoveException>(() => LocalEngine.StartAsync(options, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance))).Error;
        Assert.Equal("invalid_option", error.Code);
        Assert.Contains("landlock", error.Remediation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_worker_that_comes_too_late_is_let_go()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var gate = new TaskCompletionSource();
        var worker = new FakeFileWorker();
        cell.FileWorker = () => worker;
        cell.BeforeFiles = () => gate.Task;
        using var cancel = new CancellationTokenSource();
        var stat = harness.Engine.StatFileAsync(id, "/tmp/x", cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stat);
        gate.SetResult();
        Assert.Null(await Eventually.Within(worker.ReceiveAsync(default).AsTask())); // its link was closed
    }

    [Fact]
    public async Task Bad_options_stop_the_start_and_name_the_option()
    {
        foreach (var (option, change) in new (string, Func<EngineOptions, EngineOptions>)[]
        {
            ("TemplatesDirectory", o => o with { TemplatesDirectory = "templates" }),
            ("MaxSandboxes", o => o with { MaxSandboxes = 0 }),
            ("CreateConcurrency", o => o with { CreateConcurrency = 257 }),
            ("PoolSize", o => o with { PoolSize = -1 }),
            ("InterruptGrace", o => o with { InterruptGrace = TimeSpan.FromMinutes(2) }),
            ("AllowDegraded", o => o with { AllowDegraded = new HashSet<string> { "memory", "network" } }),
            ("AllowDegraded", o => o with { AllowDegraded = new HashSet<string> { " " } }),
        })
        {
            var error = (await Assert.ThrowsAsync<CoveException>(() => EngineHarness.StartAsync(options: change))).Error;
            Assert.Equal("invalid_option", error.Code);
            Assert.Contains(option, error.Message, StringComparison.Ordinal);
        }
    }
}
