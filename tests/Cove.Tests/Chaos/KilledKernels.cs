using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Chaos;

/// <summary>kill -9 of a kernel or of a sandbox's PID 1, from outside.</summary>
public sealed class KilledKernels
{
    [Fact]
    public async Task An_idle_kernel_is_started_anew_by_the_next_run_which_says_so()
    {
        await using var own = await OwnEngine.StartAsync();
        var (sandbox, _, kernel) = await own.CreateKnownAsync();
        await sandbox.PythonAsync("lost = 7");
        await KillAsync(kernel);
        var next = await sandbox.PythonAsync("'lost' in globals()");
        Assert.True(next.Value == "False" && next.Notices.Contains("kernel_restarted"), next.ToString());
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
        Assert.Equal(1, (await own.Engine.ListKernelsAsync(sandbox.Id)).Single().Restarts);
    }

    [Fact]
    public async Task A_run_in_a_killed_kernel_ends_as_killed_and_all_beside_it_goes_on()
    {
        await using var own = await OwnEngine.StartAsync();
        var (sandbox, _, kernel) = await own.CreateKnownAsync();
        var sibling = await own.CreateAsync();
        var run = sandbox.StartPython("print('in')\nwhile True: pass");
        var command = sandbox.Start(Waiting);
        var other = sibling.Start(Waiting);
        await Task.WhenAll(run.SaidAsync("in"), command.SaidAsync("in"), other.SaidAsync("in"));
        await KillAsync(kernel);
        var ended = await run.Completion;
        Assert.Equal((RunOutcome.Killed, "kernel_died", "SIGKILL", true), (ended.Outcome, ended.Result.Error?.Code, ended.Result.Error?.Evidence?.Signal, ended.Result.StateLost));
        await sandbox.WriteAsync("/tmp/go", "");
        await sibling.WriteAsync("/tmp/go", "");
        Assert.Equal(RunOutcome.Ok, (await command.Completion).Outcome);
        Assert.Equal(RunOutcome.Ok, (await other.Completion).Outcome);
    }

    [Fact]
    public async Task A_killed_stem_ends_its_sandbox_and_no_other()
    {
        await using var own = await OwnEngine.StartAsync();
        var (sandbox, stem, _) = await own.CreateKnownAsync();
        var sibling = await own.CreateAsync();
        var run = sandbox.StartPython("print('in')\nwhile True: pass");
        var command = sandbox.Start(Waiting);
        var other = sibling.Start(Waiting);
        await Task.WhenAll(run.SaidAsync("in"), command.SaidAsync("in"), other.SaidAsync("in"));
        await KillAsync(stem);
        var (code, line) = (await run.Completion, await command.Completion);
        Assert.True(code is { Outcome: RunOutcome.Killed, Result.StateLost: true }, code.ToString());
        Assert.Equal(RunOutcome.Killed, line.Outcome);
        await Hang.UntilAsync(async () => (await own.Engine.GetSandboxAsync(sandbox.Id)).State == SandboxState.Ended, "the sandbox has ended");
        Assert.Equal(SandboxEndReason.Died, (await own.Engine.GetSandboxAsync(sandbox.Id)).EndReason);
        Assert.Equal("sandbox_ended", (await sandbox.PythonAsync("1")).Result.Error?.Code);
        await sibling.WriteAsync("/tmp/go", "");
        Assert.Equal(RunOutcome.Ok, (await other.Completion).Outcome);
    }

    [Fact]
    public async Task Parked_cells_that_die_are_replaced_before_anybody_gets_one()
    {
        await using var own = await OwnEngine.StartAsync(poolSize: 3);
        await Hang.UntilAsync(() => own.Tree.Stems.Count == 3 && own.Tree.Kernels.Count == 3, "the pool is full");
        var (stem, kernel) = (own.Tree.Stems[0], own.Tree.Kernels[1]);
        await KillAsync(stem);
        await KillAsync(kernel);
        var sandboxes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => own.CreateAsync()));
        foreach (var sandbox in sandboxes)
        {
            Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
        }
    }

    private static RunRequest Waiting { get; } = new() { ShellLine = "echo in; while [ ! -e /tmp/go ]; do sleep 0.01; done", Timeout = TimeSpan.FromSeconds(60) };

    private static Task KillAsync(int pid)
    {
        HostProcesses.Kill(pid);
        return Hang.UntilAsync(() => !HostProcesses.IsAlive(pid), "the process is dead");
    }
}
