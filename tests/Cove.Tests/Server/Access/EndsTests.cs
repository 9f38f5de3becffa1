using Cove.Engine;
using Cove.Server.Access.Audit;
using Cove.Server.Access.Quotas;
using Cove.Server.Access.Tenancy;
using Cove.Server.Bounds;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.Access;

/// <summary>Ends as the engine tells of them, when nothing else looks: the clock stands still.</summary>
public sealed class EndsTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeCove _cove = new();
    private readonly ToldEnds _told = new();
    private readonly HeldMemory _memory = new(64 << 20);
    private StateStore _state = null!;
    private Ledger _ledger = null!;
    private ProjectCove _view = null!;
    private TimeSpan? _used;

    public async ValueTask InitializeAsync()
    {
        _state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Path.Combine(_directory.Path, "d"), Time = _time }, NullLogger.Instance);
        await _state.Projects.AddAsync("alpha", default);
        _ledger = new Ledger(_cove, _state, _ => _used, NullLogger.Instance, _told);
        _view = new ProjectCove(_ledger, new ProjectQuota("alpha", new QuotaOptions(), _state), "alpha", null, new AuditNote(), _memory.Of("alpha"));
    }

    public async ValueTask DisposeAsync()
    {
        await _ledger.DisposeAsync();
        await _state.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_that_was_left_while_its_sandbox_ended_has_its_row_and_holds_no_memory(bool leftFirst)
    {
        var ends = new TaskCompletionSource();
        _cove.Run = _ => ends.Task;
        var made = await _view.CreateSandboxAsync(new SandboxRequest());
        var events = _view.RunAsync(made.Id, new RunRequest { ShellLine = "cat", Stdin = new byte[100_000] }).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        var run = Assert.IsType<RunStarted>(events.Current).Run;
        Assert.NotEqual(0, _memory.Held);
        ends.SetResult();
        await Eventually.Holds(async () => (await _cove.GetRunAsync(made.Id, run)).Result is not null, "the run ends");
        if (leftFirst)
        {
            await events.DisposeAsync();
        }

        _told.Tell(new SandboxEnd(made with { State = SandboxState.Ended, EndReason = SandboxEndReason.Deleted }, null));
        await Eventually.Holds(() => _ledger.Find(made.Id, "alpha") is null, "the sandbox is forgotten");
        await events.DisposeAsync();
        await Eventually.Holds(() => _memory.Held == 0, "its input is given back");
        await Eventually.Holds(async () => await RowsAsync(made.Id) is { Count: > 0 }, "its row is written");
        Assert.Equal((run, RunOutcome.Ok), Assert.Single(await RowsAsync(made.Id)) is var row ? (row.Id, row.Outcome) : default);
    }

    [Fact]
    public async Task What_was_used_between_the_last_look_and_the_end_is_charged_once()
    {
        var made = await _view.CreateSandboxAsync(new SandboxRequest());
        _used = TimeSpan.FromSeconds(1);
        await _ledger.MeterAsync(_ledger.Find(made.Id, "alpha")!);
        _used = null; // it can't be asked any more
        var info = new RunInfo { Id = RunId.New(), Sandbox = made.Id, StartedAt = default, LastSequence = 2, Result = Result() };
        _told.Tell(new RunEnd(info, TimeSpan.FromSeconds(2)));
        _told.Tell(new SandboxEnd(made with { State = SandboxState.Ended, EndReason = SandboxEndReason.Died }, TimeSpan.FromSeconds(3)));
        await Eventually.Holds(() => _ledger.Find(made.Id, "alpha") is null, "the sandbox is forgotten");
        await _state.Writer.FlushAsync();
        Assert.Equal(5000, await _state.Projects.CpuAsync("alpha", _time.GetUtcNow().ToUnixTimeSeconds() / 86_400));
    }

    [Fact]
    public void Readings_out_of_order_tell_each_piece_once()
    {
        var meter = new CpuMeter();
        Assert.Equal([TimeSpan.FromSeconds(2), TimeSpan.Zero, TimeSpan.FromSeconds(1)], new long[] { 2_000_000_000, 1_000_000_000, 3_000_000_000 }.Select(now => meter.Since(now)!.Value));
        Assert.Null(meter.Since(null));
    }

    private async Task<IReadOnlyList<StoredRun>> RowsAsync(SandboxId sandbox)
    {
        await _state.Writer.FlushAsync();
        return await _state.Runs.ListAsync(sandbox);
    }

    private static RunResult Result() => new() { Outcome = RunOutcome.Ok, Duration = TimeSpan.FromSeconds(1), Isolation = FakeCove.Tier };
}
