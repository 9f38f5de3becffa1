namespace Cove.Engine;

/// <summary>The errors a call is refused with before anything ran. Those that end a run are in <c>Runs/Outcomes.cs</c>.</summary>
internal static class Refusals
{
    public static CoveException InvalidRequest(string field, object? value, string fix) => new(new RunError
    {
        Code = "invalid_request",
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = value is null ? $"The field '{field}' is not acceptable." : $"The field '{field}' is {Shown(value)}, which is not acceptable.",
        Remediation = $"Give {fix}.",
    });

    public static CoveException InvalidOption(string option, object? value, string range) => new(new RunError
    {
        Code = "invalid_option",
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = $"The engine option '{option}' is {Shown(value ?? "null")}, which is not acceptable.",
        Remediation = $"Set it to {range}.",
    });

    public static CoveException InvalidTemplate(string file, string field, string? value, string fix) => new(new RunError
    {
        Code = "invalid_template",
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = value is null ? $"{file}: the field '{field}' is not acceptable." : $"{file}: the field '{field}' is {Shown(value)}, which is not acceptable.",
        Remediation = $"Give {fix}. templates/README.md describes every field.",
    });

    public static CoveException TemplatesMissing(string directory) => new(new RunError
    {
        Code = "templates_missing",
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = $"The templates directory '{directory}' does not exist or holds no *.json file.",
        Remediation = "Set the engine option TemplatesDirectory to the templates folder of the installation.",
    });

    public static CoveException RootNotBuilt(Templates.Template template) => new(new RunError
    {
        Code = "template_not_built",
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = template.Root is { } root
            ? $"The template '{template.Name}' has its root at '{root}', which was not there when the engine started."
            : $"The template '{template.Name}' has Debian packages of its own, but its root was not built.",
        Remediation = template.Root is null ? $"Run 'cove template build {template.Name}', then start the engine anew." : "Make that directory, or correct the field 'root'; then start the engine anew.",
    });

    public static CoveException SandboxNotFound(SandboxId sandbox) => new(new RunError
    {
        Code = "sandbox_not_found",
        Category = ErrorCategory.NotFound,
        Retryable = false,
        Message = $"There is no sandbox '{sandbox}'.",
        Remediation = "Check the id, or create a new sandbox.",
    });

    public static CoveException SandboxEnded(SandboxId sandbox, SandboxEndReason? reason) => new(new RunError
    {
        Code = "sandbox_ended",
        Category = ErrorCategory.NotFound,
        Retryable = false,
        Message = $"The sandbox '{sandbox}' has ended{(reason is { } r ? $" ({Wire(r)})" : "")}.",
        Remediation = "Create a new sandbox; longer idle_timeout_ms or max_lifetime_ms keep one for longer.",
    });

    public static CoveException RunNotFound(RunId run) => new(new RunError
    {
        Code = "run_not_found",
        Category = ErrorCategory.NotFound,
        Retryable = false,
        Message = $"The sandbox knows no run '{run}'.",
        Remediation = "Check the id; a run that was refused has none, and only the newest runs are remembered.",
    });

    public static CoveException RunEnded(RunId run) => new(new RunError
    {
        Code = "run_ended",
        Category = ErrorCategory.Conflict,
        Retryable = false,
        Message = $"The run '{run}' has ended; nothing reads its standard input any more.",
        Remediation = "Start another run.",
    });

    public static CoveException StdinClosed(RunId run, string why) => new(new RunError
    {
        Code = "stdin_closed",
        Category = ErrorCategory.Conflict,
        Retryable = false,
        Message = $"The standard input of the run '{run}' is closed: {why}.",
        Remediation = "Start a command with keep_stdin_open, and write before closing.",
    });

    public static CoveException StdinFull(RunId run, TimeSpan waited) => new(new RunError
    {
        Code = "stdin_full",
        Category = ErrorCategory.Conflict,
        Retryable = true,
        Message = $"The run '{run}' did not read its standard input for {waited.TotalSeconds:0} s; nothing of this write was taken.",
        Remediation = "Write it again once the program reads, or interrupt the run.",
    });

    public static CoveException ToolRunEnded(RunId run) => new(new RunError
    {
        Code = "run_ended",
        Category = ErrorCategory.Conflict,
        Retryable = false,
        Message = $"The run '{run}' has ended; its tool calls wait for no answer any more.",
        Remediation = "Drop the answer; start another run if the work is still wanted.",
    });

    public static CoveException ToolCallNotFound(RunId run, string callId) => new(new RunError
    {
        Code = "tool_call_not_found",
        Category = ErrorCategory.NotFound,
        Retryable = false,
        Message = $"The run '{run}' made no tool call {Shown(callId)}.",
        Remediation = "Give the call_id of a tool_call event of this run; getting the run lists those that wait.",
    });

    public static CoveException ToolCallAnswered(RunId run, string callId) => new(new RunError
    {
        Code = "tool_call_answered",
        Category = ErrorCategory.Conflict,
        Retryable = false,
        Message = $"The tool call {Shown(callId)} of the run '{run}' has its answer, or failed by its timeout.",
        Remediation = "Drop the answer; allow a longer tool_call_timeout_ms if it came too late.",
    });

    public static CoveException EventsExpired(long after, long? first = null) => new(new RunError
    {
        Code = "events_expired",
        Category = ErrorCategory.NotFound,
        Retryable = false,
        Message = $"The events after {after} are not in the journal any more{(first is { } f ? $"; the first one left is {f}" : "")}.",
        Remediation = first is { } next ? $"Read with after={next - 1}, and expect a gap." : "Get the run's info for how it ended; its events were dropped to keep the journal within its bounds.",
    });

    public static CoveException JournalHeld(string directory, Exception inner) => new(
        new RunError
        {
            Code = "journal_in_use",
            Category = ErrorCategory.Infrastructure,
            Retryable = true,
            Message = $"The journal directory '{directory}' belongs to another engine that is running ({inner.Message}).",
            Remediation = "End that engine, or give this one a JournalDirectory of its own.",
        },
        inner);

    public static CoveException KernelNotFound(string kernel) => new(new RunError
    {
        Code = "kernel_not_found",
        Category = ErrorCategory.NotFound,
        Retryable = false,
        Message = $"The sandbox has no kernel {Shown(kernel)}.",
        Remediation = "List the sandbox's kernels, or create this one.",
    });

    public static CoveException TooManyTerminals(int most) => new(new RunError
    {
        Code = "too_many_terminals",
        Category = ErrorCategory.Limit,
        Retryable = true,
        Message = $"The sandbox has {most} terminals open already.",
        Remediation = "Close one that is not needed.",
    });

    public static CoveException TerminalEnded() => new(new RunError
    {
        Code = "terminal_ended",
        Category = ErrorCategory.Conflict,
        Retryable = false,
        Message = "The terminal has ended, so nothing can be typed into it.",
        Remediation = "Open a new one.",
    });

    public static CoveException CreateDeadline(TimeSpan waited, int ahead, string knob) => new(new RunError
    {
        Code = "create_deadline",
        Category = ErrorCategory.Conflict,
        Retryable = true,
        Message = $"No sandbox became free within the create timeout of {Durations.Say(waited)}; {ahead} other requests were waiting.",
        Remediation = $"Try again later, allow a longer create_timeout_ms, end sandboxes that are not needed, or raise {knob}.",
    });

    public static CoveException CellStartFailed(string detail, Exception inner) => new(
        new RunError
        {
            Code = "cell_start_failed",
            Category = ErrorCategory.Infrastructure,
            Retryable = true,
            Message = $"The host could not start a sandbox: {detail}",
            Remediation = "Run 'cove doctor' on the host; it names what is missing and the command that fixes it.",
        },
        inner);

    public static CoveException EngineStopped() => new(new RunError
    {
        Code = "engine_stopped",
        Category = ErrorCategory.Infrastructure,
        Retryable = true,
        Message = "The engine is not running.",
        Remediation = "Start it, then try again.",
    });

    /// <summary>Values come from callers: shown short, on one line.</summary>
    private static string Shown(object value)
    {
        var text = value.ToString() ?? "";
        Span<char> shown = stackalloc char[Math.Min(text.Length, 80)];
        for (var i = 0; i < shown.Length; i++)
        {
            shown[i] = char.IsControl(text[i]) || char.IsSurrogate(text[i]) ? '?' : text[i];
        }

        return text.Length > shown.Length ? $"'{shown}…'" : $"'{shown}'";
    }

    private static string Wire(SandboxEndReason reason) => reason switch
    {
        SandboxEndReason.Deleted => "deleted",
        SandboxEndReason.IdleTimeout => "idle_timeout",
        SandboxEndReason.MaxLifetime => "max_lifetime",
        SandboxEndReason.Died => "died",
        SandboxEndReason.EngineStopped => "engine_stopped",
        SandboxEndReason.EngineLost => "engine_lost",
        _ => "infrastructure_failure",
    };
}
