using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Limits that the guest filled, and programs that end themselves: the outcome names the culprit.</summary>
public sealed class LimitOutcomeTests
{
    private static async Task<(RunResult Result, List<RunEvent> Events)> RunAsync(Func<GuestRun, Task> script)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = script;
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Code = "x" }));
        return (((RunCompleted)events[^1]).Result, events);
    }

    [Theory]
    [InlineData(1, 0, RunOutcome.OutOfMemory, "memory_limit_exceeded", "memory")]
    [InlineData(0, 1, RunOutcome.GuestError, "process_limit", "pids")]
    [InlineData(0, 0, RunOutcome.InfrastructureFailure, null, null)]
    public async Task What_cannot_start_because_of_a_full_limit_is_the_guests_doing(int kills, int refused, RunOutcome outcome, string? code, string? limit)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.BeforeKernel = cell.BeforeCommand = () =>
        {
            cell.Usage = cell.Usage with { OomKills = cell.Usage.OomKills + kills, RefusedForks = cell.Usage.RefusedForks + refused };
            throw new IOException("fork failed");
        };
        foreach (var request in new RunRequest[] { new() { Code = "1", Language = Language.Bash }, new() { Argv = ["true"] } })
        {
            var result = ((RunCompleted)(await Eventually.Within(harness.RunAsync(id, request)))[^1]).Result;
            Assert.Equal(outcome, result.Outcome);
            Assert.Equal(code ?? (request.Code is null ? "command_start_failed" : "kernel_start_failed"), result.Error!.Code);
            Assert.Equal(limit, result.Error.Evidence?.Limit);
        }

        var made = await Assert.ThrowsAsync<CoveException>(() => harness.Engine.CreateKernelAsync(id, "bash", Language.Bash));
        Assert.Equal(code ?? "kernel_start_failed", made.Error.Code);
    }

    [Theory]
    [InlineData(0, RunOutcome.Ok, null)]
    [InlineData(5, RunOutcome.GuestError, "exit_code")]
    public async Task A_kernel_that_ended_itself_keeps_its_exit_code_and_lost_its_state(int code, RunOutcome outcome, string? error)
    {
        var (result, _) = await RunAsync(run =>
        {
            run.Kernel.Exit(code, null);
            return Task.CompletedTask;
        });
        Assert.Equal((outcome, error, code, true), (result.Outcome, result.Error?.Code, result.ExitCode, result.StateLost));
        Assert.Equal(error is null ? null : code, result.Error?.Evidence?.ExitCode);
    }

    [Fact]
    public async Task An_interpreter_behind_a_shim_that_a_signal_ended_was_killed_as_any_other()
    {
        var (result, _) = await RunAsync(async run =>
        {
            await run.SendAsync($$"""{"t":"notice","run":"{{run.Nonce}}","code":"state_lost","message":"gone"}""");
            await run.SendAsync($$"""{"t":"done","run":"{{run.Nonce}}","status":"exit","exit_code":137}""");
        });
        Assert.Equal((RunOutcome.Killed, "kernel_died", "SIGKILL", 137, true), (result.Outcome, result.Error?.Code, result.Error?.Evidence?.Signal, result.ExitCode ?? 0, result.StateLost));
    }

    [Theory]
    [InlineData("OSError", "[Errno 28] No space left on device: 'x'", 0, "disk_full", "disk")]
    [InlineData("OSError", "[Errno 122] Disk quota exceeded", 0, "disk_full", "disk")]
    [InlineData("OSError", "[Errno 24] Too many open files", 0, "open_files_limit", "open_files")]
    [InlineData("BlockingIOError", "[Errno 11] Resource temporarily unavailable", 1, "process_limit", "pids")]
    [InlineData("RuntimeError", "can't start new thread", 1, "process_limit", "pids")]
    [InlineData("BlockingIOError", "[Errno 11] Resource temporarily unavailable", 0, "python_exception", null)]
    [InlineData("ValueError", "[Errno 28]", 0, "python_exception", null)]
    [InlineData("ValueError", "the code that handles it failed", 1, "python_exception", "pids")]
    public async Task An_exception_at_a_limit_names_the_limit(string name, string value, int refused, string code, string? limit)
    {
        var (result, events) = await RunAsync(run =>
        {
            run.Kernel.Cell.Usage = run.Kernel.Cell.Usage with { RefusedForks = refused };
            return run.FailAsync(name, value);
        });
        Assert.Equal((RunOutcome.GuestError, code, limit), (result.Outcome, result.Error!.Code, result.Error.Evidence!.Limit));
        Assert.Equal(name, result.Error.Evidence.ExceptionType);
        Assert.Equal(limit is null, result.Error.Evidence.LimitValue is null);
        Assert.Equal(refused > 0 && code != "process_limit", events.OfType<RunNotice>().Any(n => n.Code == "process_limit_hit"));
    }

    [Fact]
    public async Task A_run_that_is_stopped_at_a_limit_says_its_peak_memory()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            await run.Interrupted;
            await run.SayInterruptedAsync();
        };
        var slow = await harness.ResultAsync(id, "slow", TimeSpan.FromMilliseconds(20));
        Assert.Equal((RunOutcome.TimedOut, 20L << 20), (slow.Outcome, slow.Error!.Evidence!.PeakMemoryBytes ?? 0));
        cell.OnExecute = async run =>
        {
            for (var i = 0; i < 66; i++)
            {
                await run.PrintAsync(new string('a', 1 << 20));
            }

            await run.Interrupted;
            await run.SayInterruptedAsync();
        };
        var loud = await harness.ResultAsync(id, "loud");
        Assert.Equal((RunOutcome.OutputLimit, 20L << 20), (loud.Outcome, loud.Error!.Evidence!.PeakMemoryBytes ?? 0));
    }

    [Fact]
    public async Task Code_that_needs_more_processes_than_the_limit_is_refused_at_once()
    {
        var backend = new FakeBackend();
        backend.Facts = backend.Facts with { Languages = new Dictionary<string, string> { ["python"] = "3", ["javascript"] = "20" } };
        await using var harness = await EngineHarness.StartAsync(backend);
        var (id, _) = await harness.CreateAsync(new SandboxRequest { Limits = new() { Pids = 15 } });
        var events = await harness.RunAsync(id, new RunRequest { Code = "1", Language = Language.JavaScript });
        var error = ((RunCompleted)events[^1]).Result.Error!;
        Assert.Equal("invalid_request", error.Code);
        Assert.Contains("'limits.pids' of the sandbox is 15", error.Message, StringComparison.Ordinal);
        Assert.Contains("16", error.Remediation, StringComparison.Ordinal);
    }
}
