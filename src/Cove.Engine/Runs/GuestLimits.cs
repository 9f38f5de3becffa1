using Cove.Engine.Guest;

namespace Cove.Engine.Runs;

/// <summary>
/// Limits that only the guest runs into: the kernel refuses a call inside, and all that comes out is the exception. Its words are
/// the guest's own, so they name the limit but never change whose fault the outcome says it is. Pure.
/// </summary>
internal static class GuestLimits
{
    private static readonly string[] _diskFull = ["[Errno 28]", "[Errno 122]", "ENOSPC:", "EDQUOT:"];
    private static readonly string[] _tooManyFiles = ["[Errno 24]", "EMFILE:"];

    public static RunError? Of(GuestException error, SandboxLimits limits, Ending ending, ErrorEvidence evidence)
    {
        var said = Outcomes.Said(error);
        return error switch
        {
            { Name: "OSError" or "Error" } when Starts(error, _diskFull) => Outcomes.DiskFull(limits, said, evidence),
            { Name: "OSError" or "Error" } when Starts(error, _tooManyFiles) => Outcomes.OpenFilesLimit(limits, said, evidence),
            _ when CouldNotFork(error, ending) => Outcomes.ProcessLimit(limits, evidence),
            _ => null,
        };
    }

    /// <summary>The same words come from a socket that is not ready: where the host counts refused forks, its count must agree.</summary>
    private static bool CouldNotFork(GuestException error, Ending ending) => error switch
    {
        { Name: "BlockingIOError" } when error.Value.StartsWith("[Errno 11]", StringComparison.Ordinal) =>
            ending.HitProcessLimit || (ending.Usage.RefusedForks is null && error.Traceback.Contains("fork", StringComparison.Ordinal)),
        { Name: "RuntimeError", Value: "can't start new thread" } => ending.HitProcessLimit || ending.Usage.RefusedForks is null,
        _ => false,
    };

    private static bool Starts(GuestException error, string[] prefixes) =>
        prefixes.Any(prefix => error.Value.StartsWith(prefix, StringComparison.Ordinal));
}
