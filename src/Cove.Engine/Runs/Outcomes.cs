using Cove.Engine.Guest;
using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>
/// Every error a run can end with: its code, whose doing it is, whether to repeat it, and what to do. One table, so that the
/// words an agent reasons about are written once.
/// </summary>
internal static class Outcomes
{
    public const string ProcessLimitCode = "process_limit";
    public const string CpuLimitCode = "cpu_limit";

    public static RunError KernelBusy(string kernel) => Error(
        "kernel_busy", ErrorCategory.Conflict, true,
        $"The kernel '{kernel}' is busy with another run.",
        "Wait for that run, interrupt it, or name another kernel; commands run beside a busy kernel.");

    public static RunError RunIdInUse(RunId run) => Error(
        "run_id_in_use", ErrorCategory.Conflict, false,
        $"The sandbox has a run with the id '{run}' already.",
        "Leave the id out, or give each run its own; read that run's events if it is the one you mean.");

    public static RunError EngineLost() => Error(
        "engine_lost", ErrorCategory.Infrastructure, false,
        "The engine was killed while the run was in progress; the sandbox and all in it are gone.",
        "Create a new sandbox. What the run had done outside of it, if anything, is not known; look before running it again.");

    public static RunError KernelLanguage(string kernel, Language is_, Language asked) => Error(
        "invalid_request", ErrorCategory.Request, false,
        $"The field 'kernel' is '{kernel}', a {KernelLanguages.Name(is_)} kernel, but 'language' is {KernelLanguages.Name(asked)}.",
        "Name another kernel, or give the kernel's own language.");

    public static RunError NoToolsInKernel(string kernel) => Error(
        "tools_unavailable", ErrorCategory.Infrastructure, false,
        $"The kernel '{kernel}' was started before there were tools to call, and cannot call any.",
        "Restart the kernel, or name another one.");

    public static RunError KernelNameReserved(string kernel) => Error(
        "invalid_request", ErrorCategory.Request, false,
        $"The field 'kernel' is '{kernel}', which is the default kernel of another language.",
        "Give a name that is no language's.");

    public static RunError TooFewProcesses(Language language, int pids, int needed) => Error(
        "invalid_request", ErrorCategory.Request, false,
        $"The field 'limits.pids' of the sandbox is {pids}; {KernelLanguages.Name(language)} needs at least {needed} processes and threads.",
        $"Create a sandbox with limits.pids of at least {needed}, or use another language.",
        new ErrorEvidence { Limit = "pids", LimitValue = pids });

    public static RunError TooManyKernels(int limit) => Error(
        "kernel_limit", ErrorCategory.Limit, false,
        $"The sandbox has {limit} kernels, as many as it may.",
        "Delete a kernel that is not needed, or use an existing one.",
        new ErrorEvidence { Limit = "kernels", LimitValue = limit });

    public static RunError LanguageUnavailable(Language language, TemplateFacts facts) => Error(
        "language_unavailable", ErrorCategory.Request, false,
        $"This host has no interpreter for {KernelLanguages.Name(language)}; available: {string.Join(", ", facts.Languages.Keys.Order(StringComparer.Ordinal))}.",
        language switch
        {
            Language.JavaScript => "Install Node.js on the host (Debian: apt-get install nodejs), then start the engine anew.",
            Language.Bash => "Install bash on the host (Debian: apt-get install bash), then start the engine anew.",
            _ => "Install Python on the host (Debian: apt-get install python3), then start the engine anew.",
        });

    public static RunError KernelStartFailed(Language language, string detail) => Error(
        "kernel_start_failed", ErrorCategory.Infrastructure, true,
        $"The {KernelLanguages.Name(language)} kernel could not be started: {detail}",
        "Try again; if it stays so, create a new sandbox, or give it more memory and processes.");

    public static RunError CommandStartFailed(string detail) => Error(
        "command_start_failed", ErrorCategory.Infrastructure, true,
        $"The command could not be started: {detail}",
        "Try again; if it stays so, create a new sandbox.");

    public static RunError ProcessLimit(SandboxLimits limits, ErrorEvidence? evidence = null) => Error(
        ProcessLimitCode, ErrorCategory.Limit, false,
        $"The sandbox has as many processes and threads as its limit of {limits.Pids} allows; another could not be started.",
        "End processes that are not needed, start fewer threads, or ask for a higher pids limit.",
        (evidence ?? new ErrorEvidence()) with { Limit = "pids", LimitValue = limits.Pids });

    public static RunError DiskFull(SandboxLimits limits, string said, ErrorEvidence evidence) => Error(
        "disk_full", ErrorCategory.Limit, false, said,
        $"Remove files, write less, or ask for a higher disk limit (now {limits.DiskBytes >> 20} MiB) or inodes limit (now {limits.Inodes:N0} files).",
        evidence with { Limit = "disk", LimitValue = limits.DiskBytes });

    public static RunError OpenFilesLimit(SandboxLimits limits, string said, ErrorEvidence evidence) => Error(
        "open_files_limit", ErrorCategory.Limit, false, said,
        "Close files when they are done with (a 'with' block does), or ask for a higher open_files limit.",
        evidence with { Limit = "open_files", LimitValue = limits.OpenFiles });

    public static RunError WallTime(TimeSpan timeout, bool killed, long? peakMemory) => Error(
        "wall_time_exceeded", ErrorCategory.Limit, false,
        $"The run was still going after its wall time of {Durations.Say(timeout)} and was {HowStopped(killed)}.",
        "Make the code faster, split the work, or ask for a longer timeout.",
        new ErrorEvidence { Limit = "wall_time", LimitValue = (long)timeout.TotalMilliseconds, PeakMemoryBytes = peakMemory });

    public static RunError CpuLimit(SandboxLimits limits, TimeSpan timeout, bool killed, ErrorEvidence evidence) => Error(
        CpuLimitCode, ErrorCategory.Limit, false,
        $"The run was still going after its wall time of {Durations.Say(timeout)} and was {HowStopped(killed)}; {HeldBack(limits, evidence.CpuThrottled)}",
        "Ask for more cpus or a longer timeout, or use less processor time: fewer threads and processes, faster code.",
        evidence with { Limit = "cpu", LimitValue = limits.CpuMillis });

    /// <summary>What the processor limit did, as the end of a sentence.</summary>
    public static string HeldBack(SandboxLimits limits, TimeSpan? throttled) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"the processor limit of {limits.CpuMillis / 1000m:0.###} CPUs held it back for {Durations.Say(throttled ?? TimeSpan.Zero)} (added up over processors).");

    public static RunError OutputLimit(long? peakMemory) => Error(
        "output_limit_exceeded", ErrorCategory.Limit, false,
        $"The run wrote more than {OutputPump.LimitBytes >> 20} MiB to one stream and was stopped.",
        "Print less: write large results to a file and show a summary.",
        new ErrorEvidence { Limit = "output", LimitValue = OutputPump.LimitBytes, PeakMemoryBytes = peakMemory });

    public static RunError Interrupted() => Error(
        "interrupted", ErrorCategory.Caller, true, "The caller interrupted the run.", "Run it again if that was not meant; the kernel's state is kept.");

    public static RunError InterruptKilled() => Error(
        "killed", ErrorCategory.Caller, true,
        "The caller interrupted the run; it did not end within its grace and was killed.",
        "Run the set-up code again; code that catches every exception cannot be interrupted.");

    public static RunError KilledByCaller() => Error(
        "killed", ErrorCategory.Caller, true, "The caller killed the run.", "Run the set-up code again: the kernel's variables are gone.");

    /// <summary>The same of a run that took no kernel with it: of a command, or before the code was begun.</summary>
    public static RunError WithoutLoss(RunError error) => error switch
    {
        { Category: ErrorCategory.Caller, Code: "killed" } => error with { Remediation = "Run it again if that was not meant; no kernel's variables are lost." },
        { Category: ErrorCategory.Caller, Code: "interrupted" } => error with { Remediation = "Run it again if that was not meant." },
        _ => error,
    };

    public static RunError KillFailed() => Error(
        "kill_failed", ErrorCategory.Infrastructure, true,
        "The run's processes could not be killed; the sandbox is being taken down.",
        "Create a new sandbox; a process that cannot be killed is stuck in the host's kernel.");

    public static RunError Violation(string detail) => Error(
        "guest_protocol_violation", ErrorCategory.Code, false,
        $"The kernel broke its protocol ({detail}) and was killed.",
        "Code must not touch the interpreter's own descriptors and channels. Run the set-up code again in the fresh kernel.");

    public static RunError KernelDied(string how, ErrorEvidence evidence) => Error(
        "kernel_died", ErrorCategory.Code, false,
        $"The interpreter ended during the run ({how}); its variables are gone.",
        "Look for a crash in native code, or code that ends its own process. The next run gets a fresh kernel.", evidence);

    public static RunError KernelDiedBefore(int attempts, string how, ErrorEvidence evidence) => Error(
        "kernel_died", ErrorCategory.Code, false,
        $"The interpreter ended ({how}) before it took up the run, {attempts} times in a row; the code was not begun.",
        "Look for what in the sandbox kills its processes. The next run gets a fresh kernel.", evidence);

    public static RunError CommandKilled(string how, ErrorEvidence evidence) => Error(
        "killed", ErrorCategory.Code, false, $"The command was ended by {how}.", "Look for a crash, or for what sent the signal.", evidence);

    public static RunError MemoryLimit(SandboxLimits limits, ErrorEvidence evidence) => Error(
        "memory_limit_exceeded", ErrorCategory.Limit, false,
        $"The sandbox reached its memory limit of {limits.MemoryBytes >> 20} MiB and the run was killed; files in memory count too.",
        "Use less memory (smaller types, chunks, fewer copies), remove files, or ask for a higher memory limit.",
        evidence with { Limit = "memory", LimitValue = limits.MemoryBytes });

    public static RunError MemoryError(SandboxLimits limits, ErrorEvidence evidence) => Error(
        "memory_error", ErrorCategory.Limit, false,
        $"An allocation failed at the soft wall below the memory limit of {limits.MemoryBytes >> 20} MiB; the kernel's variables are kept.",
        "Delete what is not needed, work in chunks, or ask for a higher memory limit.",
        evidence with { Limit = "memory", LimitValue = limits.MemoryBytes });

    public static RunError SandboxDied(string? detail) => Error(
        "sandbox_died", ErrorCategory.Code, false,
        $"The sandbox died during the run{(detail is null ? "" : $" ({detail})")}.",
        "Create a new sandbox; the code killed its own environment.");

    public static RunError SandboxEnding() => Error(
        "sandbox_ended", ErrorCategory.Caller, false, "The sandbox was ended while the run was in progress.", "Create a new sandbox.");

    public static RunError BackendFailed(string? detail) => Error(
        "backend_failed", ErrorCategory.Infrastructure, true,
        $"The host lost the sandbox{(detail is null ? "" : $": {detail}")}.",
        "Create a new sandbox and try again; this was not the code's doing.");

    public static RunError ProcessLost() => Error(
        "process_lost", ErrorCategory.Infrastructure, true,
        "The host lost sight of the run's process (what it was started from ended) and killed it.",
        "Run the set-up code again; this was not the code's doing.");

    public static RunError ToolAnswersLost() => Error(
        "tool_answers_lost", ErrorCategory.Infrastructure, false,
        "The answers to the run's tool calls could not be given to it, and it was killed; its variables are gone. This was not the code's doing.",
        "Look at what its tool calls had done before running it again; report it with the run's id if it stays so.");

    public static RunError EngineFault() => Error(
        "engine_fault", ErrorCategory.Infrastructure, true,
        "The engine failed while it supervised the run; the log says how.",
        "Try again; report it with the run's id if it stays so.");

    public static RunError ProcessExited(int code, long? peakMemory) => Error(
        "exit_code", ErrorCategory.Code, false, $"The interpreter's process was ended by its own code, with exit code {code}; its variables are gone.",
        "Leave with sys.exit(code), which keeps the kernel. The next run gets a fresh one.", new ErrorEvidence { ExitCode = code, PeakMemoryBytes = peakMemory });

    public static RunError ExitCode(int code) => Error(
        "exit_code", ErrorCategory.Code, false, $"It ended with exit code {code}.", "See what it wrote to stderr.", new ErrorEvidence { ExitCode = code });

    /// <summary>An exception, by what the guest says of it.</summary>
    public static RunError Exception(Language language, GuestException error, TemplateFacts facts)
    {
        var evidence = Evidence(error);
        var said = Said(error);
        return error.Name switch
        {
            "SyntaxError" or "IndentationError" or "TabError" => Error(
                "syntax_error", ErrorCategory.Code, false, said, "Correct the line the traceback shows; nothing of the code was run.", evidence),
            "ModuleNotFoundError" => Error(
                "module_not_found", ErrorCategory.Code, false, said,
                facts.Packages.Count == 0
                    ? "Use a module that is installed."
                    : $"Use what is installed: {string.Join(", ", facts.Packages.Keys.Order(StringComparer.Ordinal))}, and the standard library.",
                evidence),
            _ => Error(
                $"{KernelLanguages.Name(language)}_exception", ErrorCategory.Code, false, said, "Correct the code; the traceback names the line.", evidence),
        };
    }

    public static ErrorEvidence Evidence(GuestException? error) => error is null
        ? new ErrorEvidence()
        : new ErrorEvidence { ExceptionType = error.Name, ExceptionMessage = error.Value, Traceback = error.Traceback };

    /// <summary>The exception in one line.</summary>
    public static string Said(GuestException error) => error.Value.Length == 0 ? error.Name : $"{error.Name}: {FirstLine(error.Value)}";

    private static string FirstLine(string text)
    {
        var line = text.AsSpan();
        var end = line.IndexOf('\n');
        line = end < 0 ? line : line[..end];
        return line.Length <= 300 ? line.ToString() : $"{line[..(char.IsHighSurrogate(line[299]) ? 299 : 300)]}…";
    }

    private static string HowStopped(bool killed) => killed ? "killed, because an interrupt did not end it" : "interrupted";

    private static RunError Error(string code, ErrorCategory category, bool retryable, string message, string remediation, ErrorEvidence? evidence = null) => new()
    {
        Code = code,
        Category = category,
        Retryable = retryable,
        Message = message,
        Remediation = remediation,
        Evidence = evidence,
    };
}
