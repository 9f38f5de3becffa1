using Cove.Agent.Loop;
using Cove.Agent.Models;

namespace Cove.Cli;

/// <summary>What the command's exit code says. A program's own exit code is passed on; these are for ends that are not the program's own.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>What <c>doctor</c> says of a host that lacks something.</summary>
    public const int NotReady = 1;

    /// <summary>Wrong use of the command, or a request the engine refused.</summary>
    public const int Refused = 2;

    /// <summary>An agent spent a budget; its answer, if there is one, is what it could say.</summary>
    public const int BudgetSpent = 3;

    /// <summary>An agent has no whole answer: the model refused, was cut, or stopped.</summary>
    public const int NoAnswer = 4;

    /// <summary>Our fault or the host's (EX_SOFTWARE of sysexits).</summary>
    public const int Infrastructure = 70;

    /// <summary>The wall time was over, as <c>timeout</c> says it.</summary>
    public const int TimedOut = 124;

    /// <summary>Interrupted: 128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>Killed, by the memory limit or by the caller: 128 + SIGKILL.</summary>
    public const int Killed = 137;

    /// <summary>Whoever read our output stopped reading: 128 + SIGPIPE.</summary>
    public const int BrokenPipe = 141;

    /// <summary>Too much output: 128 + SIGXFSZ, the signal of a file that grew too large.</summary>
    public const int OutputLimit = 153;

    /// <summary>The exit code of a run's end.</summary>
    public static int Of(RunResult result) => result.Outcome switch
    {
        RunOutcome.Ok => result.ExitCode ?? Ok,
        RunOutcome.GuestError => result.ExitCode is { } code and not 0 ? code : 1,
        RunOutcome.TimedOut => TimedOut,
        RunOutcome.OutOfMemory => Killed,

        // A program that a signal of its own ended says which: 139 for SIGSEGV.
        RunOutcome.Killed => result.ExitCode is { } code and not 0 ? code : Killed,
        RunOutcome.OutputLimit => OutputLimit,
        RunOutcome.Interrupted => Interrupted,
        RunOutcome.Refused => Refused,
        _ => Infrastructure,
    };

    /// <summary>The exit code of an agent's end.</summary>
    public static int Of(AgentResult result) => result.Outcome switch
    {
        AgentOutcome.Answered => Ok,
        AgentOutcome.BudgetSpent => result.Budget is AgentBudget.WallTime ? TimedOut : BudgetSpent,
        AgentOutcome.Interrupted => Interrupted,
        AgentOutcome.ModelFailed => result.Failure?.Kind is ModelFailureKind.BadRequest or ModelFailureKind.Authentication or ModelFailureKind.Permission
            or ModelFailureKind.NotFound or ModelFailureKind.Billing or ModelFailureKind.SpendLimit or ModelFailureKind.TooLarge ? Refused : Infrastructure,
        _ => NoAnswer,
    };

    /// <summary>The exit code of a call that could not be done.</summary>
    public static int Of(RunError error) => error.Category is ErrorCategory.Infrastructure ? Infrastructure : Refused;
}
