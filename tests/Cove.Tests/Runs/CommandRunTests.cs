using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Commands: their channels, their exits, and that they run beside a busy kernel.</summary>
public sealed class CommandRunTests
{
    [Theory]
    [InlineData(0, null, 0, RunOutcome.Ok, null, 0)]
    [InlineData(2, null, 0, RunOutcome.GuestError, "exit_code", 2)]
    [InlineData(null, 11, 0, RunOutcome.Killed, "killed", 139)]
    [InlineData(null, 9, 1, RunOutcome.OutOfMemory, "memory_limit_exceeded", 137)]
    [InlineData(137, null, 1, RunOutcome.OutOfMemory, "memory_limit_exceeded", 137)]
    [InlineData(null, null, 0, RunOutcome.InfrastructureFailure, "process_lost", 137)]
    public async Task A_command_ends_as_its_process_was_seen_to_end(int? code, int? signal, int oomKills, RunOutcome outcome, string? error, int? exitCode)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnCommand = async command =>
        {
            await command.In.ReadAsync(new byte[1], default); // the end of the empty input: the run is being watched by now
            cell.Usage = cell.Usage with { OomKills = oomKills };
            command.Exit(code, signal);
        };
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Argv = ["/bin/true"] }));
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(error, result.Error?.Code);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.False(result.StateLost);
        Assert.Null(((RunStarted)events[0]).Kernel);
    }

    [Fact]
    public async Task Input_goes_in_whole_and_ends_and_output_comes_out_though_a_child_holds_the_pipe()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnCommand = async command =>
        {
            var buffer = new byte[1000];
            int count;
            while ((count = await command.In.ReadAsync(buffer, default)) > 0)
            {
                await command.Out.WriteAsync(buffer.AsMemory(0, count));
            }

            command.Exit(0, null); // Out is never closed: a background child holds it
        };
        var input = new string('i', 200_000);
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { ShellLine = "cat", Stdin = Encoding.ASCII.GetBytes(input) }));
        Assert.Equal(input, string.Concat(events.OfType<RunOutput>().Select(o => o.Text)));
        Assert.Equal(["/bin/bash", "-c", "cat"], cell.Commands[0].Spec.Argv);
    }

    [Fact]
    public async Task The_environment_is_built_from_the_template_the_sandbox_and_the_run()
    {
        await using var harness = await EngineHarness.StartAsync(template: """{"description":"d","environment":{"A":"t","B":"t","C":"t"}}""");
        var (id, cell) = await harness.CreateAsync(new SandboxRequest { Environment = new Dictionary<string, string> { ["B"] = "s", ["C"] = "s" } });
        await harness.RunAsync(id, new RunRequest { Argv = ["env"], WorkingDirectory = "/tmp", Environment = new Dictionary<string, string> { ["C"] = "r" } });
        var spec = cell.Commands[0].Spec;
        Assert.Equal(
            ("t", "s", "r", "/tmp", "/home/user", "/tmp"),
            (spec.Environment["A"], spec.Environment["B"], spec.Environment["C"], spec.Environment["PWD"], spec.Environment["HOME"], spec.WorkingDirectory));
        Assert.Equal(10, spec.Environment.Count); // the base's seven and these three: nothing of the host's
        var configured = cell.Kernels[0].Configurations[^1];
        Assert.Equal("s", configured.GetProperty("env").GetProperty("C").GetString());
        Assert.Equal("/workspace", configured.GetProperty("cwd").GetString());
        Assert.Equal((1L << 30) - ((1L << 30) / 10), configured.GetProperty("soft_memory_bytes").GetInt64());
        Assert.Equal(64, configured.GetProperty("seed").GetString()!.Length);
    }

    [Fact]
    public async Task A_command_runs_beside_a_busy_kernel()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run => await run.Kernel.Exited;
        var busy = harness.ResultAsync(id, "spin");
        await cell.RunsAsync();
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Argv = ["true"] }));
        Assert.Equal(RunOutcome.Ok, ((RunCompleted)events[^1]).Result.Outcome);
        cell.Kernels[0].Exit(1, null);
        await Eventually.Within(busy);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task At_the_deadline_a_command_is_interrupted_then_killed(bool heeds)
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.OnCommand = async command =>
        {
            await command.Interrupted;
            if (heeds)
            {
                command.Exit(null, 2);
            }
        };
        var running = harness.RunAsync(id, new RunRequest { Argv = ["sleep"], Timeout = TimeSpan.FromSeconds(1) });
        var events = await time.AdvanceUntil(running, TimeSpan.FromMilliseconds(100));
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal(RunOutcome.TimedOut, result.Outcome);
        Assert.Equal(124, result.ExitCode);
    }

    [Fact]
    public async Task A_cell_that_dies_ends_the_command()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnCommand = _ =>
        {
            cell.Die(byBackendFailure: true);
            return Task.CompletedTask;
        };
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Argv = ["true"] }));
        Assert.Equal(RunOutcome.InfrastructureFailure, ((RunCompleted)events[^1]).Result.Outcome);
    }
}
