using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Chaos;

/// <summary>kill -9 of what kernels are forked from.</summary>
public sealed class KilledZygotes
{
    [Fact]
    public async Task The_next_sandbox_comes_from_a_new_zygote()
    {
        await using var own = await OwnEngine.StartAsync();
        await KillAsync(own);
        var sandbox = await own.CreateAsync();
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task Runs_in_its_kernels_end_as_the_hosts_fault_and_the_sandboxes_go_on()
    {
        await using var own = await OwnEngine.StartAsync();
        var sandbox = await own.CreateAsync();
        await sandbox.WriteAsync("/workspace/kept", "file");
        var run = sandbox.StartPython("print('in')\nwhile True: pass");
        var command = sandbox.Start(new RunRequest { ShellLine = "echo in; while [ ! -e /tmp/go ]; do sleep 0.01; done", Timeout = TimeSpan.FromSeconds(60) });
        await Task.WhenAll(run.SaidAsync("in"), command.SaidAsync("in"));
        await KillAsync(own);
        var ended = await run.Completion;
        Assert.True(ended is { Outcome: RunOutcome.InfrastructureFailure, Result: { StateLost: true, Error: { Code: "process_lost", Retryable: true } } }, ended.ToString());
        var next = await sandbox.PythonAsync("open('/workspace/kept').read()");
        Assert.Equal("'file'", next.Value);
        Assert.Contains("kernel_restarted", next.Notices);
        await sandbox.WriteAsync("/tmp/go", "");
        // Without control groups a kernel's processes cannot be told from others of its sandbox, so all of them go.
        Assert.Equal(LiveEngine.Privilege == "bare" ? RunOutcome.Killed : RunOutcome.Ok, (await command.Completion).Outcome);
    }

    [Fact]
    public async Task A_burst_of_creates_survives_it()
    {
        await using var own = await OwnEngine.StartAsync(poolSize: 2);
        var burst = Enumerable.Range(0, 12).Select(_ => own.CreateAsync()).ToList();
        await Hang.WatchAsync(Task.WhenAny(burst));
        await KillAsync(own);
        var sandboxes = await Hang.WatchAsync(Task.WhenAll(burst));
        foreach (var sandbox in sandboxes)
        {
            var run = await sandbox.PythonAsync("1 + 1");
            Assert.True(run.Value == "2" || run.Result.Error is { Retryable: true }, run.ToString());
            Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
        }
    }

    private static Task KillAsync(OwnEngine own)
    {
        var zygotes = own.Tree.Zygotes;
        Assert.NotEmpty(zygotes);
        foreach (var zygote in zygotes)
        {
            HostProcesses.Kill(zygote);
        }

        return Hang.UntilAsync(() => !zygotes.Any(HostProcesses.IsAlive), "the zygotes are dead");
    }
}
