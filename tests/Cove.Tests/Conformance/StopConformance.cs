using Xunit;

namespace Cove.Tests.Conformance;

/// <summary>Code that goes on and on is stopped, whatever it does about it.</summary>
public abstract class StopConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(400);

    [Theory]
    [InlineData("while True: pass")]
    [InlineData("import time; time.sleep(3600)")]
    [InlineData("import subprocess; subprocess.run(['sleep', '3600'])")]
    [InlineData("import threading; threading.Event().wait()")]
    [InlineData("import asyncio; await asyncio.sleep(3600)")]
    [InlineData("import os; os.read(os.pipe()[0], 1)")]
    [InlineData("while True: print('x')")]
    [InlineData("try:\n    while True: pass\nfinally: kept += 0")]
    [InlineData("!sleep 3600")]
    public async Task Runaway_code_is_interrupted_at_its_wall_time_and_the_state_kept(string code)
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        var run = await sandbox.PythonAsync(code, _short);
        AssertOutcome(RunOutcome.TimedOut, "wall_time_exceeded", run);
        Assert.False(run.Result.StateLost, run.ToString());
        Assert.Equal((124, "wall_time", 400L), (run.Result.ExitCode ?? 0, run.Result.Error!.Evidence!.Limit, run.Result.Error.Evidence.LimitValue ?? 0));
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Theory]
    [InlineData("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass")]
    [InlineData("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass")]
    [InlineData("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)\nwhile True: pass")]
    public async Task Code_that_cannot_be_interrupted_is_killed_and_the_result_says_that_state_was_lost(string code)
    {
        await using var sandbox = await HastyAsync();
        AssertOk(await sandbox.PythonAsync("lost = 7"));
        await sandbox.WriteAsync("/workspace/kept", "file");
        var run = await sandbox.PythonAsync(code, TimeSpan.FromSeconds(5)); // time enough to become what cannot be interrupted
        AssertOutcome(RunOutcome.TimedOut, "wall_time_exceeded", run);
        Assert.True(run.Result.StateLost, run.ToString());
        Assert.Contains("killed", run.Result.Error!.Message, StringComparison.Ordinal);
        var next = await sandbox.PythonAsync("'lost' in globals(), open('/workspace/kept').read()");
        Assert.Equal("(False, 'file')", next.Value);
        Assert.Contains("kernel_restarted", next.Notices);
    }

    [Theory]
    [InlineData("while True:\n    try:\n        while True: pass\n    except BaseException: pass")]
    [InlineData("pow(3, 10**9)")]
    [InlineData("import ctypes; lib = ctypes.PyDLL(None)\nwhile True: lib.sleep(3600)")]
    [InlineData("sum(range(10**13))")]
    [InlineData("import re; re.match('(a+)+b', 'a' * 64)")]
    [InlineData("import numpy as np\na = np.ones(4000); b = np.ones((4000, 4000))\nwhile True: a = b @ a / 4000")]
    public async Task Whatever_resists_is_interrupted_or_killed_but_never_hangs(string code)
    {
        await using var sandbox = await HastyAsync(Data);
        AssertOutcome(RunOutcome.TimedOut, "wall_time_exceeded", await sandbox.PythonAsync(code, _short));
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task Nothing_a_killed_run_started_lives_on()
    {
        await using var sandbox = await HastyAsync();
        var run = await sandbox.PythonAsync(
            "import os, signal, subprocess, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ndef note(pid): print(pid, file=open('/tmp/pids', 'a'))\nfor _ in range(5): note(subprocess.Popen(['sleep', '3601'], start_new_session=True).pid)\nif os.fork() == 0:\n    os.setsid(); os.fork(); note(os.getpid()); time.sleep(3602)\nwhile True: pass",
            TimeSpan.FromSeconds(10));
        AssertOutcome(RunOutcome.TimedOut, "wall_time_exceeded", run);
        Assert.Equal("7 started, 0 alive\n", await CountAsync(sandbox));
    }

    [Fact]
    public async Task An_interrupt_that_comes_before_the_code_began_is_not_lost()
    {
        await using var sandbox = await SandboxAsync();
        for (var i = 0; i < 10; i++)
        {
            var run = sandbox.StartPython("while True: pass");
            await run.Started;
            await sandbox.Cove.InterruptRunAsync(sandbox.Id, run.Id);
            AssertOutcome(RunOutcome.Interrupted, "interrupted", await run.Completion);
        }

        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task An_interrupt_of_a_run_that_is_over_hits_nothing()
    {
        await using var sandbox = await SandboxAsync();
        for (var i = 0; i < 20; i++)
        {
            var id = RunId.New();
            AssertOk(await sandbox.RunAsync(new RunRequest { Code = "1", Id = id }));
            await sandbox.Cove.InterruptRunAsync(sandbox.Id, id);
            await sandbox.Cove.KillRunAsync(sandbox.Id, id);
            AssertOk(await sandbox.PythonAsync("import time; time.sleep(0.01)"));
        }
    }
}
