using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class SandboxConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_created_sandbox_is_ready_listed_and_described()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal(SandboxState.Ready, sandbox.Info.State);
        Assert.Null(sandbox.Info.EndReason);
        Assert.Equal("base", sandbox.Info.Template);
        Assert.True(SandboxId.TryParse(sandbox.Id.Value, out _));
        Assert.Contains((await sandbox.Cove.ListSandboxesAsync()).Sandboxes, s => s.Id == sandbox.Id);
        Assert.Equivalent(sandbox.Info, await sandbox.Cove.GetSandboxAsync(sandbox.Id));
    }

    [Fact]
    public async Task The_isolation_achieved_is_on_the_sandbox_and_on_every_result()
    {
        await using var sandbox = await SandboxAsync();
        Assert.NotEmpty(sandbox.Info.Isolation.Backend);
        Assert.Equal(LiveEngine.Privilege, sandbox.Info.Isolation.Privilege);
        Assert.Equal(LiveEngine.Privilege == "bare", sandbox.Info.Isolation.Degraded.Count > 0);
        Assert.Equivalent(sandbox.Info.Isolation, (await sandbox.PythonAsync("1")).Result.Isolation);
        Assert.Equivalent(sandbox.Info.Isolation, (await sandbox.ShellAsync("false")).Result.Isolation);
    }

    [Fact]
    public async Task The_environment_asked_for_reaches_kernels_and_commands()
    {
        await using var sandbox = await SandboxAsync(new SandboxRequest
        {
            Template = "base", Environment = new Dictionary<string, string> { ["GREETING"] = "hé llo", ["EMPTY"] = "" },
        });
        Assert.Equal("hé llo []", await sandbox.PrintedAsync("import os; print(os.environ['GREETING'], '[' + os.environ['EMPTY'] + ']')"));
        Assert.Equal("hé llo []\n", (await sandbox.RunAsync(new RunRequest { Code = "echo $GREETING \"[${EMPTY-unset}]\"", Language = Language.Bash })).Stdout);
        Assert.Equal("hé llo []\n", (await sandbox.ShellAsync("echo $GREETING \"[${EMPTY-unset}]\"")).Stdout);
        Assert.Equal("hé llo", await sandbox.PrintedAsync("import subprocess; print(subprocess.check_output('echo $GREETING', shell=True, text=True), end='')"));
    }

    [Fact]
    public async Task A_sandbox_is_the_computer_that_was_promised()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.ShellAsync("whoami; id -u; hostname; pwd; echo $HOME; touch /workspace/a /tmp/b ~/c /dev/shm/d && echo writable");
        AssertOk(run);
        Assert.Equal("user\n1000\ncove\n/workspace\n/home/user\nwritable\n", run.Stdout);
        Assert.Equal("/workspace", await sandbox.PrintedAsync("import os; print(os.getcwd())"));
    }

    [Fact]
    public async Task Labels_are_returned_as_given()
    {
        var labels = new Dictionary<string, string> { ["owner"] = "tests", ["ünïcode"] = "\u0001 ☃" };
        await using var sandbox = await SandboxAsync(new SandboxRequest { Template = "base", Metadata = labels });
        Assert.Equal(labels, (await sandbox.Cove.GetSandboxAsync(sandbox.Id)).Metadata);
    }

    [Fact]
    public async Task Limits_asked_for_are_the_limits_described_and_others_are_the_templates()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { MemoryBytes = 128L << 20, Pids = 40, OpenFiles = 100 });
        var limits = sandbox.Info.Limits;
        Assert.Equal((128L << 20, 40, 100), (limits.MemoryBytes, limits.Pids, limits.OpenFiles));
        Assert.Equal((SandboxLimits.Default.CpuMillis, SandboxLimits.Default.Inodes), (limits.CpuMillis, limits.Inodes));
        Assert.Equal(64L << 20, limits.DiskBytes); // at most half of the memory
    }

    [Fact]
    public async Task Limits_above_the_templates_are_in_force_too()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { DiskBytes = 400L << 20, MemoryBytes = 2L << 30, OpenFiles = 2000 });
        Assert.Equal("2000", await sandbox.PrintedAsync("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"));
        Assert.Equal((400L << 20).ToString(), await sandbox.PrintedAsync("import os; s = os.statvfs('/workspace'); print(s.f_blocks * s.f_frsize)"));
    }

    public static TheoryData<string, SandboxRequest> BadRequests() => new()
    {
        { "template", new SandboxRequest { Template = "no-such" } },
        { "memory", new SandboxRequest { Limits = new SandboxLimitsRequest { MemoryBytes = 1 } } },
        { "cpu", new SandboxRequest { Limits = new SandboxLimitsRequest { CpuMillis = 9 } } },
        { "pids", new SandboxRequest { Limits = new SandboxLimitsRequest { Pids = 7 } } },
        { "disk", new SandboxRequest { Limits = new SandboxLimitsRequest { DiskBytes = 1L << 50 } } },
        { "inodes", new SandboxRequest { Limits = new SandboxLimitsRequest { Inodes = -1 } } },
        { "open_files", new SandboxRequest { Limits = new SandboxLimitsRequest { OpenFiles = 0 } } },
        { "idle_timeout_ms", new SandboxRequest { IdleTimeout = TimeSpan.Zero } },
        { "max_lifetime_ms", new SandboxRequest { MaxLifetime = TimeSpan.FromDays(31) } },
        { "create_timeout_ms", new SandboxRequest { CreateTimeout = TimeSpan.FromSeconds(-1) } },
        { "environment", new SandboxRequest { Environment = new Dictionary<string, string> { ["A B"] = "c" } } },
        { "environment", new SandboxRequest { Environment = new Dictionary<string, string> { ["A"] = "c\0d" } } },
        { "metadata", new SandboxRequest { Metadata = new Dictionary<string, string> { ["big"] = new('x', 20_000) } } },
    };

    [Theory]
    [MemberData(nameof(BadRequests), DisableDiscoveryEnumeration = true)]
    public async Task A_request_that_is_wrong_names_the_field_and_the_fix(string field, SandboxRequest request)
    {
        var engine = await EngineAsync();
        var error = await RefusalAsync(() => engine.CreateSandboxAsync(request));
        Assert.Equal(("invalid_request", ErrorCategory.Request), (error.Code, error.Category));
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remediation);
    }

    [Fact]
    public async Task Usage_tells_memory_processes_and_files()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/big", new string('x', 1 << 20));
        await sandbox.PythonAsync("sum(range(1000))");
        var usage = await sandbox.Cove.GetUsageAsync(sandbox.Id);
        Assert.InRange(usage.DiskBytes, 1 << 20, 4 << 20);
        Assert.InRange(usage.Inodes, 1, 1000);
        NeedsProtection(sandbox, "memory");
        Assert.InRange(usage.MemoryBytes ?? 0, 1 << 20, 1L << 30);
        Assert.True(usage.PeakMemoryBytes >= usage.MemoryBytes);
        Assert.InRange(usage.Pids ?? 0, 1, 20);
        Assert.True(usage.CpuTime > TimeSpan.Zero);
    }
}
