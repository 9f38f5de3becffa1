using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class LimitConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_fifth_of_a_processor_is_a_fifth_of_the_time()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { CpuMillis = 200 });
        NeedsProtection(sandbox, "cpu");
        var before = (await sandbox.Cove.GetUsageAsync(sandbox.Id)).CpuTime!.Value;
        var run = await sandbox.PythonAsync("while True: pass", TimeSpan.FromSeconds(3));
        Assert.Equal(RunOutcome.TimedOut, run.Outcome);
        var used = (await sandbox.Cove.GetUsageAsync(sandbox.Id)).CpuTime!.Value - before;
        // As a share of what really passed: on a busy machine it can only be less.
        Assert.InRange(used / run.Result.Duration, 0, 0.3);
    }

    [Fact]
    public async Task A_run_that_the_processor_limit_kept_from_ending_in_time_says_so()
    {
        // So little that a busy host, too, gives more than that to nearly whoever asks.
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { CpuMillis = 50 });
        NeedsProtection(sandbox, "cpu");
        var two = new TimeSpan(0, 0, 2);
        foreach (var run in new Func<Task<Finished>>[]
        {
            () => sandbox.PythonAsync("import os\nos.fork()\nwhile True: pass", two),
            () => sandbox.ShellAsync("while :; do :; done & while :; do :; done", two),
        })
        {
            var busy = await UsingItsShareAsync(sandbox, 0.05, run);
            AssertOutcome(RunOutcome.TimedOut, "cpu_limit", busy);
            Assert.Equal(("cpu", 50L), (busy.Result.Error!.Evidence!.Limit, busy.Result.Error.Evidence.LimitValue ?? 0));
            Assert.True(busy.Result.CpuThrottled > busy.Result.Duration / 2, $"{busy.Result.CpuThrottled}");
            Assert.Equal(busy.Result.CpuThrottled, busy.Result.Error.Evidence.CpuThrottled);
            Assert.Contains("0.05 CPUs", busy.Result.Error.Message, StringComparison.Ordinal);
            Assert.Contains("more cpus", busy.Result.Error.Remediation, StringComparison.Ordinal);
        }

        await using var idle = await LimitedAsync(new SandboxLimitsRequest { CpuMillis = 250 });
        AssertOutcome(RunOutcome.TimedOut, "wall_time_exceeded", await idle.PythonAsync("import time; time.sleep(60)", two));
    }

    /// <summary>
    /// The first of some runs that got most of the processor time its limit allows. What gets less was kept waiting by the host, where other
    /// tests' bombs may go off meanwhile, and its limit has no part in that.
    /// </summary>
    private static async Task<Finished> UsingItsShareAsync(TestSandbox sandbox, double share, Func<Task<Finished>> run)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = (await sandbox.Cove.GetUsageAsync(sandbox.Id)).CpuTime!.Value;
            var finished = await run();
            var used = (await sandbox.Cove.GetUsageAsync(sandbox.Id)).CpuTime!.Value - before;
            if (used > 0.8 * share * finished.Result.Duration || attempt == 8)
            {
                return finished;
            }
        }
    }

    [Fact]
    public async Task A_run_that_the_processor_limit_slowed_down_is_told_so()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { CpuMillis = 50 });
        NeedsProtection(sandbox, "cpu");
        var run = await UsingItsShareAsync(
            sandbox, 0.05, () => sandbox.PythonAsync("import time\nbegun = time.process_time()\nwhile time.process_time() - begun < 0.2: pass\nprint('done')"));
        AssertOk(run);
        Assert.Contains("cpu_limit_hit", run.Notices);
        Assert.DoesNotContain("cpu_limit_hit", (await sandbox.PythonAsync("time.sleep(1)")).Notices);
    }

    [Fact]
    public async Task Processes_are_counted_and_the_sandbox_survives_their_limit()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { Pids = 30 });
        var printed = await sandbox.PrintedAsync(
            "import os, time\npids = []\ntry:\n    while True:\n        pid = os.fork()\n        if pid == 0: time.sleep(3600); os._exit(0)\n        pids.append(pid)\nexcept OSError as e: print(len(pids), e.errno)\nfor p in pids: os.kill(p, 9); os.waitpid(p, 0)");
        Assert.Matches("^(1[5-9]|2[0-9]) 11$", printed);
        AssertOk(await sandbox.ShellAsync("echo enough"));
    }

    [Fact]
    public async Task A_fork_bomb_ends_with_its_run_while_a_sibling_answers()
    {
        await using var sandbox = await HastyAsync(new SandboxRequest { Template = "base", Limits = new() { Pids = 40, CpuMillis = 500 } });
        await using var sibling = await SandboxAsync();
        var bomb = sandbox.Start(new RunRequest { Code = "import os\nprint('in', flush=True)\nwhile True:\n    try: os.fork()\n    except OSError: pass", Timeout = TimeSpan.FromSeconds(10) });
        await bomb.SaidAsync("in");
        Assert.Equal("2", (await sibling.PythonAsync("1 + 1")).Value);
        Assert.Equal(RunOutcome.TimedOut, (await bomb.Completion).Outcome);
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Theory]
    [InlineData("/workspace")]
    [InlineData("/tmp")]
    [InlineData("/home/user")]
    [InlineData("/dev/shm")]
    public async Task The_disk_is_full_at_its_limit_wherever_one_writes(string directory)
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { DiskBytes = 8 << 20 });
        var printed = await sandbox.PrintedAsync(
            $"import os\nn = 0\ntry:\n    with open('{directory}/f', 'wb', buffering=0) as f:\n        while True: n += f.write(bytes(65536))\nexcept OSError as e: print(n <= 8 << 20, n > 7 << 20, e.errno)\nos.remove('{directory}/f')");
        Assert.Equal("True True 28", printed);
        AssertOk(await sandbox.PythonAsync($"open('{directory}/g', 'w').write('room again')"));
    }

    [Fact]
    public async Task Files_are_counted_too()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { Inodes = 200 });
        var printed = await sandbox.PrintedAsync("import os\nn = 0\ntry:\n    while True: open(f'f{n}', 'w').close(); n += 1\nexcept OSError as e: print(100 < n < 200, e.errno)");
        Assert.Equal("True 28", printed);
        Assert.InRange((await sandbox.Cove.GetUsageAsync(sandbox.Id)).Inodes, 190, 200);
    }

    [Fact]
    public async Task Open_files_end_at_their_limit_and_the_kernel_survives()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { OpenFiles = 64 });
        var printed = await sandbox.PrintedAsync("import os\nall = []\ntry:\n    while True: all.append(os.open('/dev/null', 0))\nexcept OSError as e: error = e.errno\nn = len(all)\nfor f in all: os.close(f)\nprint(40 < n < 64, error)");
        Assert.Equal("True 24", printed);
        Assert.Equal("64\n", (await sandbox.ShellAsync("ulimit -n")).Stdout);
    }

    [Fact]
    public async Task A_kernel_that_leaves_all_descriptors_open_ends_its_runs_honestly()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { OpenFiles = 64 });
        var run = await sandbox.PythonAsync("import os\nkeep = []\nwhile True: keep.append(os.open('/dev/null', 0))");
        Assert.True(run.Outcome == RunOutcome.GuestError || run.Result.StateLost, run.ToString());
        var next = await sandbox.PythonAsync("for f in keep: os.close(f)\nprint('free')");
        // The channels of the next run may find no free descriptor: then the kernel is replaced, and that is said.
        Assert.True(next.Stdout == "free\n" || next.Result.StateLost || next.Notices.Contains("kernel_restarted"), next.ToString());
        Assert.Equal("again\n", (await sandbox.PythonAsync("print('again')")).Stdout);
    }

    [Fact]
    public async Task Memory_of_files_counts_too()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { MemoryBytes = 128L << 20, DiskBytes = 64 << 20 });
        NeedsProtection(sandbox, "memory");
        AssertOk(await sandbox.ShellAsync("head -c 60000000 /dev/zero > /tmp/f"));
        Assert.True((await sandbox.Cove.GetUsageAsync(sandbox.Id)).MemoryBytes >= 60_000_000);
    }

    [Fact]
    public async Task Everything_works_at_a_quarter_of_a_gigabyte()
    {
        await using var sandbox = await SandboxAsync(Data with { Limits = new SandboxLimitsRequest { MemoryBytes = 256L << 20 } });
        var run = await sandbox.PythonAsync("import pandas as pd, matplotlib.pyplot as plt\ndf = pd.DataFrame({'a': range(1000)})\ndf.a.plot()\ndf.a.sum()");
        AssertOk(run);
        Assert.Contains(run.Displays, d => d.Data.ContainsKey("image/png"));
        AssertOk(await sandbox.RunAsync(new RunRequest { Code = "echo bash", Language = Language.Bash }));
    }
}
