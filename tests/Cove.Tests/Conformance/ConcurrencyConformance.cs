using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class ConcurrencyConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task Twenty_sandboxes_work_at_once_and_none_sees_another()
    {
        var sandboxes = await Hang.WatchAsync(Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SandboxAsync())));
        try
        {
            await Task.WhenAll(sandboxes.Select(WorkAsync));
        }
        finally
        {
            await Task.WhenAll(sandboxes.Select(s => s.DisposeAsync().AsTask()));
        }
    }

    [Fact]
    public async Task Creating_running_and_deleting_may_overlap_in_any_way()
    {
        var engine = await EngineAsync();
        await Hang.WatchAsync(Task.WhenAll(Enumerable.Range(0, 30).Select(async i =>
        {
            var sandbox = await TestSandbox.CreateAsync(engine);
            var run = sandbox.StartPython($"print('in')\nimport time; time.sleep({i % 3} * 0.01)");
            if (i % 2 == 0)
            {
                await run.Started;
            }

            await sandbox.DisposeAsync();
            Assert.Contains((await run.Completion).Outcome, new[] { RunOutcome.Ok, RunOutcome.Killed, RunOutcome.Refused });
        })));
    }

    [Fact]
    public async Task Many_kernels_and_commands_of_one_sandbox_run_at_once()
    {
        await using var sandbox = await SandboxAsync();
        var runs = Enumerable.Range(0, 6).Select(i => sandbox.RunAsync(new RunRequest { Code = $"{i} + 100", Kernel = $"k{i}", Timeout = TimeSpan.FromSeconds(60) })).ToList();
        var commands = Enumerable.Range(0, 6).Select(i => sandbox.ShellAsync($"echo {i}")).ToList();
        Assert.Equal(Enumerable.Range(100, 6).Select(i => i.ToString()), (await Task.WhenAll(runs)).Select(r => r.Value));
        Assert.Equal(Enumerable.Range(0, 6).Select(i => $"{i}\n"), (await Task.WhenAll(commands)).Select(r => r.Stdout));
    }

    private static async Task WorkAsync(TestSandbox sandbox, int number)
    {
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal("True", (await sandbox.PythonAsync($"import os\n(not os.path.exists('mine')) if {round} == 0 else open('mine').read() == '{number}'")).Value);
            await sandbox.WriteAsync("/workspace/mine", number.ToString());
            Assert.Equal(number.ToString(), (await sandbox.ShellAsync("cat mine")).Stdout);
            Assert.Equal("True", await sandbox.PrintedAsync("print(len([p for p in os.listdir('/proc') if p.isdigit()]) <= 3)"));
        }
    }
}
