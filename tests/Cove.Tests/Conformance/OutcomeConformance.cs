using Xunit;

namespace Cove.Tests.Conformance;

/// <summary>Each way a run can end, with its error and evidence. `infrastructure_failure` takes a killed launcher: see Chaos/.</summary>
public abstract class OutcomeConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task Code_that_ends_well_is_ok()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("x = 1");
        AssertOk(run);
        Assert.Equal((0, false), (run.Result.ExitCode ?? -1, run.Result.StateLost));
        Assert.True(run.Result.Duration > TimeSpan.Zero);
    }

    [Theory]
    [InlineData("bytearray(10**10)")]
    [InlineData("x = []\nwhile True: x.append(bytearray(2**20))")]
    [InlineData("import numpy as np\nnp.ones((10**5, 10**5))")]
    public async Task The_soft_wall_of_memory_keeps_the_state(string code)
    {
        await using var sandbox = await SandboxAsync(Data with { Limits = new SandboxLimitsRequest { MemoryBytes = 256L << 20 } });
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        var run = await sandbox.PythonAsync(code);
        AssertOutcome(RunOutcome.OutOfMemory, "memory_error", run);
        Assert.False(run.Result.StateLost);
        var evidence = run.Result.Error!.Evidence!;
        Assert.Equal(("memory", 256L << 20), (evidence.Limit, evidence.LimitValue ?? 0));
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task The_hard_wall_of_memory_has_an_outcome_of_its_own()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { MemoryBytes = 128L << 20, DiskBytes = 48 << 20 });
        NeedsProtection(sandbox, "memory");
        // Each stays below its own soft wall; files and process together pass the sandbox's, and the process is the largest in it.
        AssertOk(await sandbox.ShellAsync("head -c 45000000 /dev/zero > /tmp/ballast"));
        var run = await sandbox.PythonAsync("x = bytearray(b'x') * (100 << 20)");
        AssertOutcome(RunOutcome.OutOfMemory, "memory_limit_exceeded", run);
        Assert.True(run.Result.StateLost);
        var evidence = run.Result.Error!.Evidence!;
        Assert.Equal(("memory", 128L << 20), (evidence.Limit, evidence.LimitValue ?? 0));
        Assert.InRange(evidence.PeakMemoryBytes ?? 0, 100L << 20, 128L << 20);
        AssertOk(await sandbox.ShellAsync("rm /tmp/ballast"));
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task A_command_that_hits_the_memory_limit_says_so_and_the_kernel_may_live()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { MemoryBytes = 128L << 20, DiskBytes = 48 << 20 });
        NeedsProtection(sandbox, "memory");
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        AssertOk(await sandbox.ShellAsync("head -c 45000000 /dev/zero > /tmp/ballast"));
        var run = await sandbox.RunAsync(new RunRequest { Argv = ["python3", "-c", "x = bytearray(b'x') * (100 << 20)"], Timeout = TimeSpan.FromSeconds(60) });
        AssertOutcome(RunOutcome.OutOfMemory, "memory_limit_exceeded", run);
        Assert.Equal(137, run.Result.ExitCode);
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task More_than_sixty_four_megabytes_of_output_stop_the_run()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        var run = await sandbox.PythonAsync("line = 'x' * 65535\nwhile True: print(line)");
        AssertOutcome(RunOutcome.OutputLimit, "output_limit_exceeded", run);
        Assert.Equal(("output", 64L << 20), (run.Result.Error!.Evidence!.Limit, run.Result.Error.Evidence.LimitValue ?? 0));
        Assert.True(run.Result.StdoutBytes > 64L << 20, run.ToString());
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
        AssertOutcome(RunOutcome.OutputLimit, "output_limit_exceeded", await sandbox.ShellAsync("yes"));
    }

    [Fact]
    public async Task An_interrupted_run_keeps_the_state()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        var run = sandbox.StartPython("print('in')\nwhile True: pass");
        await run.SaidAsync("in");
        await sandbox.Cove.InterruptRunAsync(sandbox.Id, run.Id);
        var ended = await run.Completion;
        AssertOutcome(RunOutcome.Interrupted, "interrupted", ended);
        Assert.Equal((130, false, ErrorCategory.Caller), (ended.Result.ExitCode ?? 0, ended.Result.StateLost, ended.Result.Error!.Category));
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task A_killed_run_loses_the_state()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("lost = 7"));
        var run = sandbox.StartPython("print('in')\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass");
        await run.SaidAsync("in");
        await sandbox.Cove.KillRunAsync(sandbox.Id, run.Id);
        var ended = await run.Completion;
        AssertOutcome(RunOutcome.Killed, "killed", ended);
        Assert.Equal((137, true), (ended.Result.ExitCode ?? 0, ended.Result.StateLost));
        Assert.Equal("False", (await sandbox.PythonAsync("'lost' in globals()")).Value);
    }

    public static TheoryData<string, RunRequest> BadRuns() => new()
    {
        { "code, argv, shell_line", new RunRequest() },
        { "code, argv, shell_line", new RunRequest { Code = "1", ShellLine = "true" } },
        { "code", new RunRequest { Code = new string('#', 900_001) } },
        { "code", new RunRequest { Code = "'\ud800'" } },
        { "timeout_ms", new RunRequest { Code = "1", Timeout = TimeSpan.FromMilliseconds(9) } },
        { "stdin_base64", new RunRequest { Code = "1", Stdin = new byte[1] } },
        { "environment", new RunRequest { Code = "1", Environment = new Dictionary<string, string>() } },
        { "kernel", new RunRequest { ShellLine = "true", Kernel = "python" } },
        { "argv", new RunRequest { Argv = [] } },
        { "argv[1]", new RunRequest { Argv = ["echo", "a\0b"] } },
        { "working_directory", new RunRequest { ShellLine = "true", WorkingDirectory = "here" } },
        { "id", new RunRequest { Code = "1", Id = new RunId("No Good") } },
    };

    [Theory]
    [MemberData(nameof(BadRuns), DisableDiscoveryEnumeration = true)]
    public async Task A_run_that_is_wrong_is_refused_with_the_field_and_the_fix(string field, RunRequest request)
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(request);
        AssertOutcome(RunOutcome.Refused, "invalid_request", run);
        Assert.Contains($"'{field}'", run.Result.Error!.Message, StringComparison.Ordinal);
        Assert.Single(run.Events);
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task The_id_of_a_run_is_taken_for_good()
    {
        await using var sandbox = await SandboxAsync();
        var run = sandbox.StartPython("print('in')\nwhile True: pass");
        await run.SaidAsync("in");
        AssertOutcome(RunOutcome.Refused, "run_id_in_use", await sandbox.RunAsync(new RunRequest { ShellLine = "true", Id = run.Id }));
        await sandbox.Cove.KillRunAsync(sandbox.Id, run.Id);
        await run.Completion;
        AssertOutcome(RunOutcome.Refused, "run_id_in_use", await sandbox.RunAsync(new RunRequest { ShellLine = "true", Id = run.Id })); // its events can still be read
    }
}
