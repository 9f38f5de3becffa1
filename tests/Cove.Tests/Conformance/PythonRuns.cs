using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public sealed class PythonRuns(LiveEngine live)
{
    [Fact]
    public async Task Variables_stay_and_the_last_value_comes_back()
    {
        await using var sandbox = await TestSandbox.CreateAsync(await live.GetAsync());
        var first = await sandbox.PythonAsync("x = 20\nprint('hello')");
        Assert.Equal(RunOutcome.Ok, first.Outcome);
        Assert.Equal("hello\n", first.Stdout);
        var second = await sandbox.PythonAsync("x + 22");
        Assert.Equal("42", second.Value);
    }

    [Fact]
    public async Task A_runaway_loop_is_interrupted_and_its_state_kept()
    {
        await using var sandbox = await TestSandbox.CreateAsync(await live.GetAsync());
        await sandbox.PythonAsync("kept = 7");
        var loop = await sandbox.PythonAsync("while True: pass", TimeSpan.FromMilliseconds(500));
        Assert.Equal(RunOutcome.TimedOut, loop.Outcome);
        Assert.False(loop.Result.StateLost, loop.ToString());
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task The_hard_memory_limit_has_an_outcome_of_its_own()
    {
        await using var sandbox = await TestSandbox.CreateAsync(
            await live.GetAsync(), new SandboxRequest { Template = "base", Limits = new SandboxLimitsRequest { MemoryBytes = 128L << 20, DiskBytes = 32 << 20 } });
        var soft = await sandbox.PythonAsync("x = bytearray(400 * 2**20)");
        Assert.Equal(RunOutcome.OutOfMemory, soft.Outcome);
        Assert.False(soft.Result.StateLost, soft.ToString());
    }

    [Theory]
    [InlineData(Language.Bash, "cd /tmp; pwd", "/tmp\n")]
    [InlineData(Language.JavaScript, "console.log(6*7)", "42\n")]
    public async Task Other_languages_run(Language language, string code, string expected)
    {
        await using var sandbox = await TestSandbox.CreateAsync(await live.GetAsync());
        var run = await sandbox.RunAsync(new RunRequest { Code = code, Language = language });
        Assert.True(run.Outcome == RunOutcome.Ok, run.ToString());
        Assert.Equal(expected, run.Stdout);
    }

    [Fact]
    public async Task Commands_run_beside_a_busy_kernel_and_files_too()
    {
        await using var sandbox = await TestSandbox.CreateAsync(await live.GetAsync());
        var busy = sandbox.PythonAsync("import time; time.sleep(2)");
        var command = await sandbox.ShellAsync("echo hi; id -u; exit 3");
        Assert.Equal("hi\n1000\n", command.Stdout);
        Assert.Equal(3, command.Result.ExitCode);
        await sandbox.Cove.WriteFileAsync(sandbox.Id, "/workspace/a/b.txt", new MemoryStream("text"u8.ToArray()));
        Assert.Equal("text", (await sandbox.ShellAsync("cat /workspace/a/b.txt")).Stdout);
        Assert.False(busy.IsCompleted);
        Assert.Equal(RunOutcome.Ok, (await busy).Outcome);
    }
}
