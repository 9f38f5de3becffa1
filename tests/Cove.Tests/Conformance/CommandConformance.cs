using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class CommandConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task An_argument_vector_is_read_by_no_shell()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(new RunRequest { Argv = ["printf", "%s|", "a b", "$HOME", "*", "", "é\n"] });
        Assert.Equal("a b|$HOME|*||é\n|", run.Stdout);
        Assert.Null(Assert.IsType<RunStarted>(run.Events[0]).Kernel);
    }

    [Fact]
    public async Task A_shell_line_is_read_by_bash()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal("3\n/home/user\n", (await sandbox.ShellAsync("echo a b c | wc -w; echo ~; [[ a == a ]]")).Stdout);
    }

    [Fact]
    public async Task Directory_and_environment_are_the_commands_own()
    {
        await using var sandbox = await SandboxAsync(new SandboxRequest { Template = "base", Environment = new Dictionary<string, string> { ["A"] = "sandbox", ["B"] = "sandbox" } });
        var request = new RunRequest { ShellLine = "pwd; echo $PWD $A $B", WorkingDirectory = "/tmp", Environment = new Dictionary<string, string> { ["B"] = "command" } };
        Assert.Equal("/tmp\n/tmp sandbox command\n", (await sandbox.RunAsync(request)).Stdout);
        Assert.Equal("/workspace\n/workspace sandbox sandbox\n", (await sandbox.ShellAsync("pwd; echo $PWD $A $B")).Stdout);
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_the_guests_error()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(new RunRequest { Argv = ["true"], WorkingDirectory = "/workspace/none" });
        Assert.Equal((RunOutcome.GuestError, 126), (run.Outcome, run.Result.ExitCode ?? 0));
        Assert.Contains("/workspace/none", run.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_reaches_the_command_and_then_ends()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(new RunRequest { Argv = ["cat"], Stdin = Encoding.UTF8.GetBytes("line\nhalf") });
        Assert.Equal("line\nhalf", run.Stdout);
        AssertOk(await sandbox.RunAsync(new RunRequest { Argv = ["cat"] }));
    }

    [Fact]
    public async Task Five_megabytes_of_input_are_read_whole()
    {
        await using var sandbox = await SandboxAsync();
        var input = new byte[5_000_000];
        Random.Shared.NextBytes(input);
        var run = await sandbox.RunAsync(new RunRequest { Argv = ["sha256sum"], Stdin = input, Timeout = TimeSpan.FromSeconds(60) });
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(input)), run.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_that_nobody_reads_hangs_nothing()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.RunAsync(new RunRequest { Argv = ["true"], Stdin = new byte[5_000_000], Timeout = TimeSpan.FromSeconds(60) }));
    }

    [Fact]
    public async Task Commands_run_beside_a_busy_kernel_and_beside_each_other()
    {
        await using var sandbox = await SandboxAsync();
        var busy = sandbox.StartPython("print('in')\nimport os\nwhile not os.path.exists('/tmp/go'): pass");
        await busy.SaidAsync("in");
        var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => sandbox.ShellAsync($"echo {i}")));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"{i}\n"), runs.Select(r => r.Stdout));
        AssertOk(await sandbox.ShellAsync("touch /tmp/go"));
        AssertOk(await busy.Completion);
    }

    [Fact]
    public async Task Commands_and_files_work_beside_a_frozen_and_a_dead_kernel()
    {
        await using var sandbox = await SandboxAsync();
        var frozen = sandbox.StartPython("print('in', flush=True)\nimport os, signal\nos.kill(os.getpid(), signal.SIGSTOP)");
        await frozen.SaidAsync("in");
        Assert.Equal("beside\n", (await sandbox.ShellAsync("echo beside")).Stdout);
        await sandbox.WriteAsync("/workspace/f", "beside");
        Assert.Equal("beside", await sandbox.ReadAsync("/workspace/f"));
        await sandbox.Cove.KillRunAsync(sandbox.Id, frozen.Id);
        AssertOutcome(RunOutcome.Killed, "killed", await frozen.Completion);
        Assert.Equal("beside\n", (await sandbox.ShellAsync("cat /workspace/f; echo")).Stdout);
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task Nothing_of_the_engine_is_open_in_a_command()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal("0\n1\n2\n3\n", (await sandbox.RunAsync(new RunRequest { Argv = ["ls", "/proc/self/fd"] })).Stdout); // 3 is the directory being read
    }
}
