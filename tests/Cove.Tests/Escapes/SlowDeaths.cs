using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>A sandbox whose processes take long to die does not make the others wait: their runs are stopped in time and keep their state.</summary>
public abstract class SlowDeaths(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    // Where there are control groups, so many processes with so little processor die for a second or more.
    private const string Crowd = "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nx = bytearray(1 << 24)\nfor _ in range(100):\n    if os.fork() == 0:\n        x[::4096] = x[::4096]\n        while True: pass\nwhile True: pass";

    // Where there are none, what kills from within is seen by the guest, which stops it.
    private const string Stopper = "import os, signal\nif os.fork() == 0:\n    while True:\n        try: os.kill(-1, signal.SIGSTOP)\n        except OSError: pass\nwhile True: pass";

    [Theory]
    [InlineData("a crowd", Crowd)]
    [InlineData("a stopper", Stopper)]
    public async Task Hold_up_no_interrupt_of_another_sandbox(string name, string attack)
    {
        var limits = new SandboxLimitsRequest { CpuMillis = 50, Pids = 128, MemoryBytes = 512 << 20 };
        await using var sibling = await SandboxAsync();
        Assert.Equal(RunOutcome.Ok, (await sibling.PythonAsync("kept = 7")).Outcome);
        await using var first = await SandboxAsync(limits);
        await using var second = await SandboxAsync(limits);
        await using var third = await SandboxAsync(limits);
        // Three, so that deaths waited for one after the other would take longer than the grace of a second.
        var attacking = Task.WhenAll(new[] { first, second, third }.Select(slow => slow.PythonAsync(attack, TimeSpan.FromMilliseconds(1500))));
        do
        {
            var run = await sibling.PythonAsync("!sleep 3600", TimeSpan.FromMilliseconds(100));
            Assert.True(run is { Outcome: RunOutcome.TimedOut, Result.StateLost: false }, $"beside {name}: {run}");
        }
        while (!attacking.IsCompleted);
        Assert.All(await attacking, run => Assert.True(run.Outcome is RunOutcome.TimedOut or RunOutcome.Killed, run.ToString()));
        Assert.Equal("7", (await sibling.PythonAsync("kept")).Value);
    }
}
