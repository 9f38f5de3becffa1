using Cove.Engine.Guest;
using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>What a verdict needs to know of the run and its sandbox.</summary>
internal sealed record CaseFile(SandboxLimits Limits, TimeSpan Timeout, TemplateFacts Facts, SandboxEndReason? EndReason, Language Language);

/// <summary>
/// Decides how a run ended. Pure. What was seen from outside (deaths, counters, who asked to stop) goes before what the guest
/// says of itself; only with nothing to the contrary is its <c>done</c> believed.
/// </summary>
internal static class Verdicts
{
    public const int TimeoutExitCode = 124; // as timeout(1) has it

    public static Verdict OfKernel(Ending ending, CaseFile file) => WithProcessLimit(KernelEnded(ending, file), ending, file);

    public static Verdict OfCommand(Ending ending, CaseFile file) => WithProcessLimit(CommandEnded(ending, file), ending, file);

    private static Verdict KernelEnded(Ending ending, CaseFile file)
    {
        var lost = ending.Killed || ending.SaidStateLost || ending.Exit is not null || ending.Cell is not null;
        if (Violated(ending) is { } violation)
        {
            return violation;
        }

        if (ending.Said is { } said && ending.Reason != StopReason.Kill)
        {
            return OfDone(said, ending, file, lost);
        }

        return OfDeath(ending, file) ?? Stopped(ending, file) ?? (ending.NeverBegan ? DiedBefore(ending) : Died(ending, file));
    }

    private static Verdict CommandEnded(Ending ending, CaseFile file)
    {
        if (Signals.ExitCode(ending.Exit) is { } code && ending is { Reason: StopReason.None, Cell: null })
        {
            return ending switch
            {
                { Exit.Code: 0 } => new Verdict(RunOutcome.Ok, ExitCode: 0),
                { HitMemoryLimit: true } when code == Signals.ExitCode(Signals.Kill) =>
                    new Verdict(RunOutcome.OutOfMemory, Outcomes.MemoryLimit(file.Limits, Evidence(ending)), code),
                { Exit.Signal: { } signal } => new Verdict(RunOutcome.Killed, Outcomes.CommandKilled(Signals.Name(signal), Evidence(ending)), code),
                _ => new Verdict(RunOutcome.GuestError, Outcomes.ExitCode(code), code),
            };
        }

        // A command that ended well by itself while it was being interrupted did what was asked of it.
        if (ending is { Exit.Code: 0, Reason: StopReason.Interrupt, Killed: false })
        {
            return new Verdict(RunOutcome.Ok, ExitCode: 0);
        }

        var verdict = OfDeath(ending, file) ?? Stopped(ending, file)
            ?? Unseen(ending)
            ?? new Verdict(RunOutcome.Killed, Outcomes.CommandKilled(Signals.Describe(ending.Exit), Evidence(ending)));
        return verdict with { StateLost = false, Error = verdict.Error is { } error ? Outcomes.WithoutLoss(error) : null };
    }

    private static Verdict OfDone(ResultMessage.Done said, Ending ending, CaseFile file, bool lost)
    {
        if (ending.Reason is StopReason.Deadline or StopReason.OutputLimit)
        {
            return Stopped(ending, file)! with { StateLost = lost };
        }

        var evidence = Outcomes.Evidence(said.Error) with { PeakMemoryBytes = ending.Usage.PeakMemoryBytes };
        return said switch
        {
            { Status: DoneStatus.Ok } => new Verdict(RunOutcome.Ok, null, 0, lost),
            { Status: DoneStatus.Exit, ExitCode: 0 } => new Verdict(RunOutcome.Ok, null, 0, lost),
            { Status: DoneStatus.Exit, ExitCode: { } code } when ending.SaidStateLost && Signals.Of(code) is { } signal => OfLostInterpreter(signal, ending, file),
            { Status: DoneStatus.Exit, ExitCode: { } code } => new Verdict(RunOutcome.GuestError, Outcomes.ExitCode(code), code, lost),
            { Status: DoneStatus.Interrupted } when ending.Reason != StopReason.None => Stopped(ending, file)! with { StateLost = lost },
            { Error: { Name: "MemoryError" } } => new Verdict(RunOutcome.OutOfMemory, Outcomes.MemoryError(file.Limits, evidence), 1, lost),
            { Error: { } error } when GuestLimits.Of(error, file.Limits, ending, evidence) is { } limit => new Verdict(RunOutcome.GuestError, limit, 1, lost),
            { Error: { } error } => new Verdict(RunOutcome.GuestError, Outcomes.Exception(file.Language, error, file.Facts), 1, lost),
            _ => new Verdict(RunOutcome.GuestError, Outcomes.Exception(file.Language, new GuestException("KeyboardInterrupt", "", ""), file.Facts), 1, lost),
        };
    }

    private static Verdict? Violated(Ending ending) => ending is { Reason: StopReason.ProtocolViolation, GaveUp: false }
        ? new Verdict(RunOutcome.Killed, Outcomes.Violation(ending.Violation ?? "unknown"), Signals.ExitCode(Signals.Kill), true)
        : null;

    /// <summary>The sandbox, or the host's hold on it, is gone.</summary>
    private static Verdict? OfDeath(Ending ending, CaseFile file)
    {
        if (ending.GaveUp)
        {
            return new Verdict(RunOutcome.InfrastructureFailure, Outcomes.KillFailed(), null, true);
        }

        if (ending.Reason == StopReason.SandboxEnding || (ending.Cell is not null && WasMeant(file.EndReason)))
        {
            return new Verdict(RunOutcome.Killed, Outcomes.SandboxEnding(), Signals.ExitCode(Signals.Kill), true);
        }

        return ending switch
        {
            { Cell: null } => null,
            _ when ending.Cell.ByBackendFailure || file.EndReason == SandboxEndReason.InfrastructureFailure => new Verdict(RunOutcome.InfrastructureFailure, Outcomes.BackendFailed(ending.Cell.Detail), null, true),
            { HitMemoryLimit: true } => OutOfMemory(ending, file),
            _ => new Verdict(RunOutcome.Killed, Outcomes.SandboxDied(ending.Cell.Detail), Signals.ExitCode(Signals.Kill), true),
        };
    }

    private static bool WasMeant(SandboxEndReason? reason) =>
        reason is SandboxEndReason.Deleted or SandboxEndReason.IdleTimeout or SandboxEndReason.MaxLifetime or SandboxEndReason.EngineStopped;

    /// <summary>Somebody asked the run to stop, and it did or was made to.</summary>
    private static Verdict? Stopped(Ending ending, CaseFile file)
    {
        var killed = ending.Killed;
        return ending.Reason switch
        {
            StopReason.Deadline => new Verdict(RunOutcome.TimedOut, TimeOver(ending, file), TimeoutExitCode, true),
            StopReason.OutputLimit => new Verdict(RunOutcome.OutputLimit, Outcomes.OutputLimit(ending.Usage.PeakMemoryBytes), Code(killed), true),
            StopReason.Interrupt when killed => new Verdict(RunOutcome.Killed, Outcomes.InterruptKilled(), Code(killed), true),
            StopReason.Interrupt => new Verdict(RunOutcome.Interrupted, Outcomes.Interrupted(), Code(killed), true),
            StopReason.Kill => new Verdict(RunOutcome.Killed, Outcomes.KilledByCaller(), Signals.ExitCode(Signals.Kill), true),
            StopReason.HostFailure => new Verdict(RunOutcome.InfrastructureFailure, Outcomes.ToolAnswersLost(), Signals.ExitCode(Signals.Kill), true),
            _ => null,
        };

        static int Code(bool killed) => Signals.ExitCode(killed ? Signals.Kill : Signals.Interrupt);
    }

    private static RunError TimeOver(Ending ending, CaseFile file) => ending.HeldBack
        ? Outcomes.CpuLimit(file.Limits, file.Timeout, ending.Killed, Evidence(ending) with { CpuThrottled = ending.Throttled })
        : Outcomes.WallTime(file.Timeout, ending.Killed, ending.Usage.PeakMemoryBytes);

    /// <summary>The interpreter behind a shim, which says of it what a shell says: 128 plus the signal.</summary>
    private static Verdict OfLostInterpreter(int signal, Ending ending, CaseFile file) => ending.HitMemoryLimit && signal == Signals.Kill
        ? OutOfMemory(ending, file)
        : new Verdict(
            RunOutcome.Killed,
            Outcomes.KernelDied(Signals.Name(signal), Evidence(ending) with { Signal = Signals.Name(signal) }), Signals.ExitCode(signal), true);

    /// <summary>A guest error while forks were refused is most likely their doing; who reads it should know.</summary>
    private static Verdict WithProcessLimit(Verdict verdict, Ending ending, CaseFile file) =>
        verdict is { Outcome: RunOutcome.GuestError, Error: { Evidence: null or { Limit: null } } error } && ending.HitProcessLimit
            ? verdict with { Error = error with { Evidence = (error.Evidence ?? new ErrorEvidence()) with { Limit = "pids", LimitValue = file.Limits.Pids } } }
            : verdict;

    /// <summary>Nobody asked for it: by a signal it was killed, with an exit code it left by itself.</summary>
    private static Verdict Died(Ending ending, CaseFile file) => ending switch
    {
        { Exit.Code: 0 } => new Verdict(RunOutcome.Ok, null, 0, true),
        { Exit.Code: { } code } when code != Signals.ExitCode(Signals.Kill) || !ending.HitMemoryLimit =>
            new Verdict(RunOutcome.GuestError, Outcomes.ProcessExited(code, ending.Usage.PeakMemoryBytes), code, true),
        _ => Signaled(ending, file),
    };

    /// <summary>Whatever it ended with is no answer to a run it never saw.</summary>
    private static Verdict DiedBefore(Ending ending) => Unseen(ending) ?? new Verdict(
        RunOutcome.Killed, Outcomes.KernelDiedBefore(RunPipeline.MaxAttempts, Signals.Describe(ending.Exit), Evidence(ending)), Signals.ExitCode(Signals.Kill), true);

    private static Verdict Signaled(Ending ending, CaseFile file) => ending.HitMemoryLimit
        ? OutOfMemory(ending, file)
        : Unseen(ending) ?? new Verdict(RunOutcome.Killed, Outcomes.KernelDied(Signals.Describe(ending.Exit), Evidence(ending)), Signals.ExitCode(ending.Exit), true);

    /// <summary>The host lost sight of the process and ended it; no guest can bring that about.</summary>
    private static Verdict? Unseen(Ending ending) => ending.Exit is { Code: null, Signal: null }
        ? new Verdict(RunOutcome.InfrastructureFailure, Outcomes.ProcessLost(), Signals.ExitCode(Signals.Kill), true)
        : null;

    private static Verdict OutOfMemory(Ending ending, CaseFile file) =>
        new(RunOutcome.OutOfMemory, Outcomes.MemoryLimit(file.Limits, Evidence(ending)), Signals.ExitCode(Signals.Kill), true);

    private static ErrorEvidence Evidence(Ending ending) => new()
    {
        ExitCode = ending.Exit?.Code,
        Signal = ending.Exit?.Signal is { } signal ? Signals.Name(signal) : null,
        PeakMemoryBytes = ending.Usage.PeakMemoryBytes,
    };
}
