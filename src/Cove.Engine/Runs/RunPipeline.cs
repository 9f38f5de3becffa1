using System.Diagnostics;
using Cove.Engine.Guest;
using Cove.Engine.Isolation;
using Cove.Engine.Journal;
using Cove.Engine.Kernels;
using Cove.Engine.Sandboxes;
using Cove.Engine.ToolCalls;
using Microsoft.Extensions.Logging;

namespace Cove.Engine.Runs;

/// <summary>
/// Carries one run from its request to its terminal event. Whatever happens on the way, the last thing it does is to write
/// exactly one <see cref="RunCompleted"/>.
/// </summary>
internal sealed class RunPipeline(Sandbox sandbox, Run run, RunRequest request, RunSettings settings)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Kernels that a run is given to, one after another, while each ends before it takes it up.</summary>
    public const int MaxAttempts = 3;

    private readonly RunClock _clock = new(settings.Time, request.Timeout ?? DefaultTimeout, settings.InterruptGrace);
    private Ending? _ending;

    /// <summary>Runs to the end; never throws.</summary>
    public async Task RunToEndAsync()
    {
        using var activity = EngineMeter.StartRun(request, run.Id, sandbox.Id, sandbox.Template.Name);
        Verdict verdict;
        try
        {
            verdict = request.Code is null ? await RunCommandAsync() : await RunCodeAsync(request.Code);
        }
        catch (CellGoneException)
        {
            verdict = await OfGoneCellAsync();
        }
        catch (Exception exception)
        {
            settings.Logger.RunFailed(exception, run.Id);
            verdict = new Verdict(RunOutcome.InfrastructureFailure, Outcomes.EngineFault(), StateLost: request.Code is not null);
        }

        Complete(verdict, activity);
    }

    private async Task<Verdict> RunCodeAsync(string code)
    {
        if (ControlFrames.Execute(Nonce(out var nonce), code, ToolRules.HasTools(request)) is not { } frame)
        {
            return Verdict.Refused(Refusals.InvalidRequest("code", null, "code that fits in one frame of 1 MiB with its escapes; put large data into a file").Error);
        }

        if (Enter(out var refusal) is not { } kernel)
        {
            return Verdict.Refused(refusal!);
        }

        try
        {
            run.Tools = ToolRules.HasTools(request) ? new ToolDesk(run, request, nonce, settings.Time) : null;
            run.Events.Start(run.Id, sandbox.Id, kernel.Name, request.CorrelationId);
            return await RunInKernelAsync(kernel, nonce, frame, code);
        }
        finally
        {
            run.Events.WriteStarted(); // while its id is taken, also when nothing could be sent
            sandbox.Kernels.LeaveOrRemove(kernel);
        }
    }

    /// <summary>Enters the kernel, made when there is none; null and the error when that cannot be.</summary>
    private Kernel? Enter(out RunError? refusal)
    {
        while (sandbox.Kernels.Open(request.Kernel, request.Language, out refusal) is { } kernel)
        {
            run.Kernel = kernel.Name; // before entering: who finds the kernel busy and kills its run must find this one
            if (!kernel.TryEnter())
            {
                run.Kernel = null;
                refusal = Outcomes.KernelBusy(kernel.Name);
                return null;
            }

            if (sandbox.Kernels.Holds(kernel))
            {
                return kernel;
            }

            kernel.Leave(); // deleted between being found and being entered
        }

        run.Kernel = null;
        return null;
    }

    private async Task<Verdict> RunInKernelAsync(Kernel kernel, string nonce, ReadOnlyMemory<byte> frame, string code)
    {
        for (var attempt = 1; _ending is null || (_ending.NeverBegan && attempt <= MaxAttempts); attempt++)
        {
            var (process, refused) = await Start().KernelAsync(kernel);
            if (process is null)
            {
                return refused!;
            }

            if (run.Tools is not null && !kernel.CallsTools)
            {
                return new Verdict(RunOutcome.InfrastructureFailure, Outcomes.NoToolsInKernel(kernel.Name));
            }

            if (attempt > 1 || kernel.MayHaveStray)
            {
                // A fresh nonce: what holds the old link may have read the old one.
                frame = ControlFrames.Execute(Nonce(out nonce), code, run.Tools is not null, kernel.MayHaveStray)!.Value;
                run.Tools = run.Tools is null ? null : new ToolDesk(run, request, nonce, settings.Time);
            }

            _ending = await WatchAsync(kernel, process, nonce, frame) with { CalledTools = run.Tools is { Made: > 0 } };
            kernel.MayHaveStray = _ending.Interrupted;
            if (_ending.Killed || _ending.Exit is not null || _ending.Cell is not null)
            {
                kernel.Discard();
            }
        }

        if (_ending.Reason == StopReason.ProtocolViolation)
        {
            settings.Logger.GuestProtocolViolation(run.Id, _ending.Violation ?? "");
        }

        TakeDownWhenStuck(_ending);
        return Verdicts.OfKernel(_ending, CaseFile());
    }

    private async Task<Ending> WatchAsync(Kernel kernel, CellProcess process, string nonce, ReadOnlyMemory<byte> frame)
    {
        try
        {
            using var channels = sandbox.Cell.OpenRunChannels(host: run.Tools is not null);
            using var result = new ResultPump(channels.Result, nonce, run);
            var supervisor = new RunSupervisor(sandbox.Cell, process, run, _clock);
            return await supervisor.WatchAsync(
                Pump(OutputStream.Stdout, channels.Stdout),
                Pump(OutputStream.Stderr, channels.Stderr),
                result,
                () => SetGoingAsync(process, frame, channels),
                () =>
                {
                    run.Tools?.End();
                    channels.Dispose();
                });
        }
        catch
        {
            run.Events.WriteStarted(); // who waits for it need not wait for the kill

            // The engine lost track of this run: nothing said by this process can be trusted to belong to the next.
            await kernel.KillAsync();
            throw;
        }
    }

    private async Task SetGoingAsync(CellProcess process, ReadOnlyMemory<byte> frame, RunChannels channels)
    {
        await process.Control!.SendAsync(frame, channels, CancellationToken.None);
        if (run.Tools is { } tools)
        {
            await CarryAsync(tools, channels.Host!);
        }
    }

    /// <summary>Answers that can't be carried to the guest any more are the host's failure, and the run ends as that: it was sent, and nobody's kernel broke anything.</summary>
    private async Task CarryAsync(ToolDesk tools, ByteSink host)
    {
        try
        {
            await tools.PumpAsync(host);
        }
        catch (Exception failure)
        {
            if (tools.HasEnded)
            {
                return; // its pipe was closed under it
            }

            settings.Logger.ToolAnswersLost(failure, run.Id);
            run.Stop.Request(StopReason.HostFailure);
        }
    }

    private async Task<Verdict> RunCommandAsync()
    {
        var directory = request.WorkingDirectory ?? KernelEnvironment.WorkingDirectory;
        var spec = new CommandSpec(
            request.Argv ?? ["/bin/bash", "-c", request.ShellLine!],
            directory,
            KernelEnvironment.Build(directory, sandbox.Template.Environment, sandbox.Environment, request.Environment));
        run.Events.Start(run.Id, sandbox.Id, null, request.CorrelationId);
        run.Events.WriteStarted();
        var (command, refused) = await Start().CommandAsync(spec);
        if (command is null)
        {
            return refused!;
        }

        var supervisor = new RunSupervisor(sandbox.Cell, command.Process, run, _clock);
        _ending = await supervisor.WatchAsync(
            Pump(OutputStream.Stdout, command.Stdout),
            Pump(OutputStream.Stderr, command.Stderr),
            result: null,
            () => RunStdin.FeedAsync(run.Stdin, request.Stdin, command.Stdin),
            () =>
            {
                run.Stdin?.End();
                command.Close();
            });
        TakeDownWhenStuck(_ending);
        return Verdicts.OfCommand(_ending, CaseFile());
    }

    private RunStart Start() => new(sandbox, run, _clock, settings);

    private OutputPump Pump(OutputStream stream, ByteSource source) => new(
        stream, source, run.Events, new OutputSpill(run.Id, stream, sandbox.Files), new OutputPace(settings.Time), () => run.Stop.Request(StopReason.OutputLimit));

    private void TakeDownWhenStuck(Ending ending)
    {
        if (ending.GaveUp)
        {
            settings.Logger.KillDidNotEnd(run.Id, StopLadder.KillLimit.TotalMilliseconds);
            _ = sandbox.EndAsync(SandboxEndReason.InfrastructureFailure);
        }
    }

    /// <summary>The cell went away between two steps: its exit says why, if it comes soon.</summary>
    private async Task<Verdict> OfGoneCellAsync()
    {
        try
        {
            await sandbox.Cell.Exited.WaitAsync(TimeSpan.FromSeconds(1), settings.Time);
        }
        catch (TimeoutException)
        {
            // A backend that says gone and never reports the exit: the verdict below is then 'died'.
        }

        var exit = sandbox.Cell.Exited.IsCompletedSuccessfully ? sandbox.Cell.Exited.Result : new CellExit(false, null);
        var ending = new Ending { Cell = exit, Reason = run.Stop.Reason };
        return request.Code is null ? Verdicts.OfCommand(ending, CaseFile()) : Verdicts.OfKernel(ending, CaseFile());
    }

    private CaseFile CaseFile() => new(sandbox.Limits, _clock.Timeout, sandbox.Facts, sandbox.EndReason, request.Language);

    private void Complete(Verdict verdict, Activity? activity)
    {
        if (_ending is { HitMemoryLimit: true } && verdict.Outcome != RunOutcome.OutOfMemory)
        {
            run.Events.Notice("memory_limit_hit", "A process in the sandbox was killed at the memory limit while this run was in progress.");
        }

        if (_ending is { HitProcessLimit: true } && verdict.Error?.Code != Outcomes.ProcessLimitCode)
        {
            run.Events.Notice("process_limit_hit", $"The limit of {sandbox.Limits.Pids} processes and threads refused one while this run was in progress.");
        }

        if (_ending is { HeldBack: true } && verdict.Error?.Code != Outcomes.CpuLimitCode)
        {
            run.Events.Notice("cpu_limit_hit", $"The run was slowed down: {Outcomes.HeldBack(sandbox.Limits, _ending.Throttled)}");
        }

        settings.Logger.RunEnded(run.Id, verdict.Outcome, run.Elapsed.TotalMilliseconds);
        var result = new RunResult
        {
            Outcome = verdict.Outcome,
            ExitCode = verdict.ExitCode,
            Error = verdict.Error,
            Duration = run.Elapsed,
            ToolWait = run.Tools?.Deadline?.Paused,
            ToolCalls = run.Tools?.Made,
            StateLost = verdict.StateLost,
            PeakMemoryBytes = _ending?.Usage.PeakMemoryBytes,
            CpuThrottled = _ending?.Throttled,
            StdoutBytes = _ending?.StdoutBytes ?? 0,
            StderrBytes = _ending?.StderrBytes ?? 0,
            Isolation = settings.Tier,
        };

        EngineMeter.RunEnded(activity, request, result);

        // What a reader may do when it sees the end (run again in this kernel, use the id again) must be possible by then.
        run.Stdin?.End();
        run.Tools?.End();
        sandbox.Forget(run);
        run.Events.Completed(result);
        TellEnd();
    }

    private void TellEnd()
    {
        if (settings.Ends.AreHeard && run.Log.Info is { } info)
        {
            settings.Ends.Tell(new RunEnd(info, sandbox.Cpu.Since(_ending?.Usage.CpuNanoseconds)));
        }
    }

    private static string Nonce(out string nonce) => nonce = Entropy.Hex(16);
}

/// <summary>What every run of an engine shares.</summary>
internal sealed record RunSettings(TimeProvider Time, TimeSpan InterruptGrace, IsolationTier Tier, ILogger Logger, Journals Journals, Ends Ends);
