using Microsoft.Extensions.Logging;

namespace Cove.Engine;

/// <summary>Every log message of the engine. Ids: 1xx engine, 2xx sandboxes, 3xx pool, 4xx runs and kernels, 5xx files, 6xx journal. Never reused.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(100, LogLevel.Information, "Engine started: backend {Backend}, privilege {Privilege}, {Templates} templates")]
    public static partial void EngineStarted(this ILogger logger, string backend, string privilege, int templates);

    [LoggerMessage(101, LogLevel.Information, "Engine stopped")]
    public static partial void EngineStopped(this ILogger logger);

    [LoggerMessage(200, LogLevel.Debug, "Sandbox {Sandbox} created from {Template} in {DurationMs} ms")]
    public static partial void SandboxCreated(this ILogger logger, SandboxId sandbox, string template, double durationMs);

    [LoggerMessage(201, LogLevel.Debug, "Sandbox {Sandbox} ended: {Reason}")]
    public static partial void SandboxEnded(this ILogger logger, SandboxId sandbox, SandboxEndReason reason);

    [LoggerMessage(202, LogLevel.Warning, "Sandbox {Sandbox} was lost by the backend: {Detail}")]
    public static partial void SandboxLost(this ILogger logger, SandboxId sandbox, string detail);

    [LoggerMessage(300, LogLevel.Warning, "Could not start a cell of {Template} (failure {Failures} in a row); next try in {DelayMs} ms")]
    public static partial void CellStartFailed(this ILogger logger, Exception exception, string template, int failures, double delayMs);

    [LoggerMessage(301, LogLevel.Information, "A parked cell of {Template} died and is replaced: {Detail}")]
    public static partial void ParkedCellDied(this ILogger logger, string template, string detail);

    [LoggerMessage(400, LogLevel.Debug, "Run {Run} ended: {Outcome} after {DurationMs} ms")]
    public static partial void RunEnded(this ILogger logger, RunId run, RunOutcome outcome, double durationMs);

    [LoggerMessage(401, LogLevel.Warning, "Run {Run}: the guest broke the protocol: {Detail}")]
    public static partial void GuestProtocolViolation(this ILogger logger, RunId run, string detail);

    [LoggerMessage(402, LogLevel.Error, "Run {Run} failed in the engine")]
    public static partial void RunFailed(this ILogger logger, Exception exception, RunId run);

    [LoggerMessage(403, LogLevel.Warning, "Run {Run}: killing its processes did not end them within {WaitMs} ms; the sandbox is taken down")]
    public static partial void KillDidNotEnd(this ILogger logger, RunId run, double waitMs);

    [LoggerMessage(404, LogLevel.Warning, "A {Language} kernel could not be started")]
    public static partial void KernelStartFailed(this ILogger logger, Exception exception, Language language);

    [LoggerMessage(405, LogLevel.Error, "Run {Run}: answers to its tool calls could not be given to it; it is killed")]
    public static partial void ToolAnswersLost(this ILogger logger, Exception exception, RunId run);

    [LoggerMessage(600, LogLevel.Error, "The journal of sandbox {Sandbox} could not be written; what follows is in memory only")]
    public static partial void JournalFailed(this ILogger logger, Exception exception, SandboxId sandbox);

    [LoggerMessage(601, LogLevel.Warning, "Sandbox {Sandbox} was lost with the engine before this one, {Runs} runs in progress with it")]
    public static partial void SandboxEngineLost(this ILogger logger, SandboxId sandbox, int runs);

    [LoggerMessage(602, LogLevel.Warning, "Old journals could not be removed")]
    public static partial void JournalSweepFailed(this ILogger logger, Exception exception);

    [LoggerMessage(603, LogLevel.Error, "Who is told of ends failed to hear of {Subject}")]
    public static partial void ObserverFailed(this ILogger logger, Exception exception, string subject);

    [LoggerMessage(500, LogLevel.Information, "The file worker of a sandbox was started anew after: {Detail}")]
    public static partial void FileWorkerRestarted(this ILogger logger, string detail);
}
