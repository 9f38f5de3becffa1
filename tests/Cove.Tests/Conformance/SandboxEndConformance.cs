using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class SandboxEndConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_deleted_sandbox_says_so_and_answers_nothing_more()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.Cove.DeleteSandboxAsync(sandbox.Id);
        var info = await sandbox.Cove.GetSandboxAsync(sandbox.Id);
        Assert.True(info is { State: SandboxState.Ending or SandboxState.Ended, EndReason: SandboxEndReason.Deleted }, info.ToString());
        AssertOutcome(RunOutcome.Refused, "sandbox_ended", await sandbox.PythonAsync("1"));
        AssertOutcome(RunOutcome.Refused, "sandbox_ended", await sandbox.ShellAsync("true"));
        Assert.Equal("sandbox_ended", (await RefusalAsync(() => sandbox.ReadAsync("/workspace/x"))).Code);
        Assert.Equal("sandbox_ended", (await RefusalAsync(() => sandbox.Cove.ListKernelsAsync(sandbox.Id))).Code);
        await EndedAsync(sandbox.Cove, sandbox.Id);
        Assert.DoesNotContain((await sandbox.Cove.ListSandboxesAsync()).Sandboxes, s => s.Id == sandbox.Id);
    }

    private static Task EndedAsync(ICove cove, SandboxId id) =>
        Eventually.Holds(async () => (await cove.GetSandboxAsync(id)).State == SandboxState.Ended, "what the deleted sandbox held is freed");

    [Fact]
    public async Task Deleting_twice_is_no_error()
    {
        var sandbox = await SandboxAsync();
        await Task.WhenAll(sandbox.Cove.DeleteSandboxAsync(sandbox.Id), sandbox.Cove.DeleteSandboxAsync(sandbox.Id));
        await sandbox.DisposeAsync();
        await EndedAsync(sandbox.Cove, sandbox.Id);
    }

    [Fact]
    public async Task A_sandbox_that_never_was_is_not_found()
    {
        await using var real = await SandboxAsync();
        var ghost = new TestSandbox(real.Cove, real.Info with { Id = SandboxId.New() });
        Assert.Equal("sandbox_not_found", (await RefusalAsync(() => ghost.Cove.GetSandboxAsync(ghost.Id))).Code);
        AssertOutcome(RunOutcome.Refused, "sandbox_not_found", await ghost.PythonAsync("1"));
        Assert.Equal(ErrorCategory.NotFound, (await RefusalAsync(() => ghost.ReadAsync("/workspace/x"))).Category);
    }

    [Fact]
    public async Task Deleting_ends_runs_in_progress_and_they_say_why()
    {
        await using var sandbox = await SandboxAsync();
        var run = sandbox.StartPython("print('in'); import time; time.sleep(3600)");
        var command = sandbox.Start(new RunRequest { ShellLine = "echo in; sleep 3600" });
        await Task.WhenAll(run.SaidAsync("in"), command.SaidAsync("in"));
        await sandbox.Cove.DeleteSandboxAsync(sandbox.Id);
        AssertOutcome(RunOutcome.Killed, "sandbox_ended", await run.Completion);
        AssertOutcome(RunOutcome.Killed, "sandbox_ended", await command.Completion);
    }

    [Fact]
    public async Task An_idle_sandbox_ends_after_its_idle_timeout()
    {
        await using var sandbox = await SandboxAsync(new SandboxRequest { Template = "base", IdleTimeout = TimeSpan.FromSeconds(1) });
        await AssertEndsAsync(sandbox, SandboxEndReason.IdleTimeout);
        var refused = await sandbox.PythonAsync("1");
        AssertOutcome(RunOutcome.Refused, "sandbox_ended", refused);
        Assert.Contains("idle_timeout", refused.Result.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sandbox_with_a_run_in_progress_is_not_idle()
    {
        await using var sandbox = await SandboxAsync(new SandboxRequest { Template = "base", IdleTimeout = TimeSpan.FromSeconds(10) });
        AssertOk(await sandbox.PythonAsync("import time; time.sleep(15)"));
    }

    [Fact]
    public async Task A_sandbox_ends_at_its_maximum_lifetime_whatever_it_does()
    {
        await using var sandbox = await SandboxAsync(new SandboxRequest { Template = "base", MaxLifetime = TimeSpan.FromSeconds(10) });
        AssertOutcome(RunOutcome.Killed, "sandbox_ended", await sandbox.PythonAsync("while True: pass"));
        await AssertEndsAsync(sandbox, SandboxEndReason.MaxLifetime);
    }

    [Fact]
    public async Task An_engine_that_stops_ends_its_sandboxes_and_their_runs()
    {
        var engine = await Backend.StartAsync(o => o with { PoolSize = 0 });
        var sandbox = await TestSandbox.CreateAsync(engine);
        var run = sandbox.StartPython("print('in'); import time; time.sleep(3600)");
        await run.SaidAsync("in");
        await Hang.WatchAsync(engine.DisposeAsync().AsTask());
        AssertOutcome(RunOutcome.Killed, "sandbox_ended", await run.Completion);
        Assert.Equal(SandboxEndReason.EngineStopped, (await engine.GetSandboxAsync(sandbox.Id)).EndReason);
        Assert.Equal("engine_stopped", (await RefusalAsync(() => engine.CreateSandboxAsync(new SandboxRequest()))).Code);
    }

    private static async Task AssertEndsAsync(TestSandbox sandbox, SandboxEndReason reason)
    {
        await Hang.UntilAsync(async () => (await sandbox.Cove.GetSandboxAsync(sandbox.Id)).State == SandboxState.Ended, "the sandbox has ended");
        Assert.Equal(reason, (await sandbox.Cove.GetSandboxAsync(sandbox.Id)).EndReason);
    }
}
