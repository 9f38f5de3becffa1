using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Pool;

/// <summary>The pool: claims that do not wait, bursts that queue, deaths and failures that heal or are told.</summary>
public sealed class PoolTests
{
    private static string Template(int poolSize) => $$"""{"description":"d","pool_size":{{poolSize}} }""";

    /// <summary>Waits until so many can be claimed: a cell that was made is parked only behind that.</summary>
    private static Task FullAsync(EngineHarness harness, int parked) => Eventually.Holds(() => harness.Engine.Census().Parked.Values.Sum() == parked, "the pool is full");

    [Fact]
    public async Task A_parked_cell_is_claimed_without_waiting_and_replaced()
    {
        await using var harness = await EngineHarness.StartAsync(template: Template(2));
        await FullAsync(harness, 2);
        var claim = harness.Engine.CreateSandboxAsync(new SandboxRequest());
        Assert.True(claim.IsCompletedSuccessfully);
        await Eventually.Holds(() => harness.Backend.Cells.Count == 3, "the claimed cell was replaced");
    }

    [Fact]
    public async Task A_burst_queues_and_never_fails()
    {
        await using var harness = await EngineHarness.StartAsync(
            new FakeBackend { BeforeStart = async _ => await Eventually.BreatheAsync() }, template: Template(4));
        var burst = await Eventually.Within(Task.WhenAll(Enumerable.Range(0, 100).Select(_ => harness.Engine.CreateSandboxAsync(new SandboxRequest()))));
        Assert.Equal(100, burst.Select(i => i.Id).Distinct().Count());
        Assert.Equal(100, (await harness.Engine.ListSandboxesAsync()).Sandboxes.Count);
        await Eventually.Holds(() => harness.Backend.Cells.Count == 104, "the pool is full again, and no more");
    }

    [Fact]
    public async Task Without_a_pool_a_sandbox_is_made_when_asked_for()
    {
        await using var harness = await EngineHarness.StartAsync(options: o => o with { PoolSize = 0 });
        Assert.Empty(harness.Backend.Cells);
        await harness.CreateAsync();
        Assert.Single(harness.Backend.Cells);
    }

    [Fact]
    public async Task Who_waits_past_the_deadline_is_told_how_many_were_ahead_and_which_knob_to_turn()
    {
        var time = new FakeTimeProvider();
        var never = new TaskCompletionSource();
        await using var harness = await EngineHarness.StartAsync(new FakeBackend { BeforeStart = _ => never.Task }, time, template: Template(0));
        var first = harness.Engine.CreateSandboxAsync(new SandboxRequest { CreateTimeout = TimeSpan.FromSeconds(5) });
        var second = harness.Engine.CreateSandboxAsync(new SandboxRequest { CreateTimeout = TimeSpan.FromSeconds(5) });
        time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<CoveException>(() => first);
        var error = (await Assert.ThrowsAsync<CoveException>(() => second)).Error;
        Assert.Equal("create_deadline", error.Code);
        Assert.True(error.Retryable);
        Assert.Contains("1 other requests", error.Message, StringComparison.Ordinal);
        Assert.Contains("pool_size", error.Remediation, StringComparison.Ordinal);
        never.SetResult();
    }

    [Fact]
    public async Task The_cap_on_sandboxes_queues_in_order_until_the_deadline()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time, options: o => o with { MaxSandboxes = 1 });
        var (id, _) = await harness.CreateAsync();
        var late = harness.Engine.CreateSandboxAsync(new SandboxRequest { CreateTimeout = TimeSpan.FromSeconds(1) });
        var patient = harness.Engine.CreateSandboxAsync(new SandboxRequest { CreateTimeout = TimeSpan.FromMinutes(1) });
        time.Advance(TimeSpan.FromSeconds(1));
        var error = (await Assert.ThrowsAsync<CoveException>(() => late)).Error;
        Assert.Contains("MaxSandboxes (now 1)", error.Remediation, StringComparison.Ordinal);
        await harness.Engine.DeleteSandboxAsync(id);
        Assert.Equal(SandboxState.Ready, (await Eventually.Within(patient)).State);
    }

    [Fact]
    public async Task Parked_cells_that_die_are_dropped_and_replaced()
    {
        await using var harness = await EngineHarness.StartAsync(template: Template(2));
        await FullAsync(harness, 2);
        harness.Backend.Cells.First().Kernels[0].Exit(null, 9);
        await Eventually.Holds(() => harness.Backend.Cells.Count == 3, "the dead one was replaced");
        var (id, cell) = await harness.CreateAsync();
        Assert.NotSame(harness.Backend.Cells.First(), cell);
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "1")).Outcome);
    }

    [Fact]
    public async Task A_parked_kernel_is_configured_and_a_claim_with_wishes_of_its_own_has_it_done_once_more()
    {
        await using var harness = await EngineHarness.StartAsync(template: Template(2));
        await FullAsync(harness, 2);
        var (_, plain) = await harness.CreateAsync();
        Assert.Single(plain.Kernels[0].Configurations);
        var (_, own) = await harness.CreateAsync(new SandboxRequest { Environment = new Dictionary<string, string> { ["MINE"] = "1" } });
        var (_, lower) = await harness.CreateAsync(new SandboxRequest { Limits = new() { MemoryBytes = 256 << 20 } });
        Assert.True(plain.Kernels[0].Configurations[0].GetProperty("rehearse").GetBoolean());
        Assert.Equal([false, true], own.Kernels[0].Configurations.Select(c => c.GetProperty("env").TryGetProperty("MINE", out _)));
        Assert.Equal(2, lower.Kernels[0].Configurations.Count);
        Assert.True(lower.Kernels[0].Configurations[1].GetProperty("soft_memory_bytes").GetInt64() < 256 << 20);
        await FullAsync(harness, 2); // three that were claimed, two of them configured twice, and two that wait: no two seeds are the same
        Assert.Equal(7, harness.Backend.Cells.SelectMany(c => c.Kernels).SelectMany(k => k.Configurations).Select(c => c.GetProperty("seed").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task A_kernel_that_dies_of_its_configuration_is_handed_to_nobody()
    {
        var backend = new FakeBackend();
        backend.Script = cell => cell.Configured = backend.Starts == 1 ? kernel => kernel.Exit(70, null) : null;
        await using var harness = await EngineHarness.StartAsync(backend, options: o => o with { PoolSize = 0 });
        var (_, cell) = await harness.CreateAsync();
        Assert.Equal(2, backend.Cells.Count);
        Assert.Same(backend.Cells.Last(), cell);
    }

    [Fact]
    public async Task A_hiccup_is_retried_and_nobody_notices()
    {
        var time = new FakeTimeProvider();
        var backend = new FakeBackend { BeforeStart = n => n <= 2 ? throw new IOException("hiccup") : Task.CompletedTask };
        await using var harness = await EngineHarness.StartAsync(backend, time);
        var info = await time.AdvanceUntil(harness.Engine.CreateSandboxAsync(new SandboxRequest()), TimeSpan.FromMilliseconds(50));
        Assert.Equal(SandboxState.Ready, info.State);
    }

    [Fact]
    public async Task A_backend_that_keeps_failing_is_told_to_those_who_wait_and_left_in_peace_in_between()
    {
        var time = new FakeTimeProvider();
        var starts = new System.Collections.Concurrent.ConcurrentQueue<DateTimeOffset>();
        var backend = new FakeBackend
        {
            BeforeStart = _ =>
            {
                starts.Enqueue(time.GetUtcNow());
                throw new IOException("no namespaces here");
            },
        };
        await using var harness = await EngineHarness.StartAsync(backend, time);
        var error = (await Assert.ThrowsAsync<CoveException>(
            () => time.AdvanceUntil(harness.Engine.CreateSandboxAsync(new SandboxRequest()), TimeSpan.FromMilliseconds(50)))).Error;
        Assert.Equal("cell_start_failed", error.Code);
        Assert.Equal(ErrorCategory.Infrastructure, error.Category);
        Assert.Contains("no namespaces here", error.Message, StringComparison.Ordinal);
        Assert.True(starts.Count >= 3, "It was told before the third failure.");
        while (starts.Count < 10)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Eventually.BreatheAsync();
        }

        var pauses = starts.Zip(starts.Skip(1), (one, next) => next - one).ToList();
        for (var i = 0; i < pauses.Count; i++)
        {
            Assert.True(pauses[i] >= TimeSpan.FromMilliseconds(Math.Min(10_000, 100 << i)), $"pause {i} was {pauses[i]}");
        }
    }

    [Fact]
    public async Task Parked_cells_that_keep_dying_are_replaced_ever_more_seldom()
    {
        var time = new FakeTimeProvider();
        var starts = new System.Collections.Concurrent.ConcurrentQueue<DateTimeOffset>();
        var backend = new FakeBackend
        {
            BeforeStart = _ =>
            {
                starts.Enqueue(time.GetUtcNow());
                return Task.CompletedTask;
            },
            Script = cell => cell.Configured = kernel => kernel.Exit(70, null),
        };
        await using var harness = await EngineHarness.StartAsync(backend, time, template: Template(1));
        while (starts.Count < 8)
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Eventually.BreatheAsync();
        }

        var pauses = starts.Zip(starts.Skip(1), (one, next) => next - one).ToList();
        Assert.All(pauses.Index(), pause => Assert.True(pause.Item >= TimeSpan.FromMilliseconds(100 << pause.Index), $"pause {pause.Index} was {pause.Item}"));
    }

    [Fact]
    public async Task Who_waits_has_a_cell_made_although_those_parked_keep_dying()
    {
        var time = new FakeTimeProvider();
        var backend = new FakeBackend();
        await using var harness = await EngineHarness.StartAsync(backend, time, template: Template(1));
        await FullAsync(harness, 1);
        backend.Cells.Last().Kernels[0].Exit(null, 9);
        await FullAsync(harness, 0);
        Assert.Equal(SandboxState.Ready, (await Eventually.Within(harness.Engine.CreateSandboxAsync(new SandboxRequest()))).State);
        Assert.Equal(2, backend.Cells.Count); // and none for the stock: the clock has not moved
        time.Advance(TimeSpan.FromMilliseconds(100));
        await FullAsync(harness, 1);
    }

    [Fact]
    public async Task Lower_limits_are_set_in_a_parked_cell_and_higher_ones_get_a_cell_of_their_own()
    {
        await using var harness = await EngineHarness.StartAsync();
        await FullAsync(harness, 1);
        var (lower, cell) = await harness.CreateAsync(new SandboxRequest { Limits = new() { MemoryBytes = 256 << 20 } });
        var set = Assert.Single(cell.LimitChanges);
        Assert.Equal((256L << 20, 128L << 20), (set.MemoryBytes, set.DiskBytes));
        Assert.Equal(128L << 20, (await harness.Engine.GetSandboxAsync(lower)).Limits.DiskBytes);
        var (_, own) = await harness.CreateAsync(new SandboxRequest { Limits = new() { Pids = 1000 } });
        Assert.Empty(own.LimitChanges);
    }

    [Fact]
    public async Task A_cell_that_is_parked_while_a_claim_gets_in_line_is_taken()
    {
        await using var backend = new FakeBackend();
        var template = new Cove.Engine.Templates.Template { Name = "t", Description = "d", PoolSize = 1 };
        await using var pool = new Cove.Engine.Pool.CellPool(
            new(template, backend.Facts), 1, new(backend, 1, TimeProvider.System), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        pool.Start();
        await Eventually.Holds(() => pool.Parked == 1, "the pool is full");
        var waiting = pool.WaitAsync(TimeSpan.FromMinutes(1), default);
        Assert.True(waiting.IsCompletedSuccessfully);
        Assert.Equal(0, pool.Waiting);
        await (await waiting).Cell.DisposeAsync();
    }

    [Fact]
    public async Task The_create_timeout_bounds_making_a_cell_for_higher_limits_too()
    {
        var time = new FakeTimeProvider();
        var never = new TaskCompletionSource();
        await using var harness = await EngineHarness.StartAsync(new FakeBackend { BeforeStart = _ => never.Task }, time, template: Template(0));
        var claim = harness.Engine.CreateSandboxAsync(new SandboxRequest { CreateTimeout = TimeSpan.FromSeconds(5), Limits = new() { Pids = 1000 } });
        await Eventually.Holds(() => harness.Backend.Starts == 1, "the cell is being made");
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("create_deadline", (await Assert.ThrowsAsync<CoveException>(() => Eventually.Within(claim))).Error.Code);
        never.SetResult();
    }

    [Fact]
    public async Task A_sandbox_that_ended_before_it_was_handed_out_is_no_success()
    {
        var reached = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var backend = new FakeBackend
        {
            Script = cell => cell.BeforeLimits = () =>
            {
                reached.TrySetResult();
                return gate.Task;
            },
        };
        await using var harness = await EngineHarness.StartAsync(backend);
        var claim = harness.Engine.CreateSandboxAsync(new SandboxRequest { Limits = new() { Pids = 20 } });
        await reached.Task.WaitAsync(Eventually.Limit);
        await harness.Engine.DisposeAsync();
        gate.SetResult();
        var error = (await Assert.ThrowsAsync<CoveException>(() => Eventually.Within(claim))).Error;
        Assert.Equal("sandbox_ended", error.Code);
        Assert.Contains("engine_stopped", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_no_place_behind()
    {
        var gate = new TaskCompletionSource();
        await using var harness = await EngineHarness.StartAsync(
            new FakeBackend { BeforeStart = _ => gate.Task }, options: o => o with { MaxSandboxes = 1, PoolSize = 0 });
        using var cancel = new CancellationTokenSource();
        var waiting = harness.Engine.CreateSandboxAsync(new SandboxRequest(), cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        gate.SetResult();
        await Eventually.Within(harness.Engine.CreateSandboxAsync(new SandboxRequest()));
        await Eventually.Holds(() => harness.Backend.Cells.Count(c => !c.Disposed) == 1, "the cell nobody wanted was freed or used");
    }
}
