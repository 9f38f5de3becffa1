using Cove.Engine;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

/// <summary>A backend as the suites need it: an engine they share, and engines of their own.</summary>
public abstract class BackendUnderTest
{
    /// <summary>The shared engine.</summary>
    public abstract Task<SandboxEngine> SharedAsync();

    /// <summary>Another shared one, that waits for what it interrupts no longer than is usual.</summary>
    public abstract Task<SandboxEngine> HastyAsync();

    /// <summary>An engine of one test's own; the test disposes it.</summary>
    public abstract Task<SandboxEngine> StartAsync(Func<EngineOptions, EngineOptions> change);
}

/// <summary>What every suite has. A backend joins by one sealed subclass of each suite.</summary>
public abstract class ConformanceSuite(BackendUnderTest backend)
{
    protected static SandboxRequest Data { get; } = new() { Template = "python-data" };

    protected BackendUnderTest Backend => backend;

    protected Task<SandboxEngine> EngineAsync() => backend.SharedAsync();

    protected async Task<TestSandbox> SandboxAsync(SandboxRequest? request = null) => await TestSandbox.CreateAsync(await backend.SharedAsync(), request);

    /// <summary>A sandbox for code that no interrupt ends, so that nobody waits for that.</summary>
    protected async Task<TestSandbox> HastyAsync(SandboxRequest? request = null) => await TestSandbox.CreateAsync(await backend.HastyAsync(), request);

    /// <summary>A sandbox of the base template with other limits.</summary>
    protected Task<TestSandbox> LimitedAsync(SandboxLimitsRequest limits) => SandboxAsync(new SandboxRequest { Template = "base", Limits = limits });

    /// <summary>Skips where the engine was allowed to go without a protection, and says so.</summary>
    protected static void NeedsProtection(TestSandbox sandbox, string name) => Assert.SkipWhen(
        sandbox.Info.Isolation.Degraded.Contains(name),
        $"This engine ({sandbox.Info.Isolation.Privilege}) was allowed to go without '{name}': the host gives this user no control group for it.");

    protected static void AssertOk(Finished run) => Assert.True(run.Outcome == RunOutcome.Ok, run.ToString());

    protected static void AssertOutcome(RunOutcome outcome, string code, Finished run) =>
        Assert.True(run.Outcome == outcome && run.Result.Error?.Code == code, $"expected {outcome} {code}, got {run}");

    /// <summary>How many processes wrote their number to /tmp/pids, and how many of these live. (A command's ps shows only what it started itself.)</summary>
    protected static async Task<string> CountAsync(TestSandbox sandbox) =>
        (await sandbox.ShellAsync("alive=0; for p in $(cat /tmp/pids); do kill -0 $p 2>/dev/null && alive=$((alive + 1)); done; echo $(wc -l < /tmp/pids) started, $alive alive")).Stdout;

    protected static async Task<RunError> RefusalAsync(Func<Task> call) => (await Assert.ThrowsAsync<CoveException>(call)).Error;
}
