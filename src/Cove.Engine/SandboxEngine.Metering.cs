namespace Cove.Engine;

public sealed partial class SandboxEngine
{
    /// <summary>The processor time a living sandbox has used, as its control group counts it; null where the host counts none, or it has ended. Asking is no use of the sandbox: it does not stay alive for it.</summary>
    internal TimeSpan? CpuTime(SandboxId sandbox) =>
        _sandboxes.Find(sandbox) is { State: SandboxState.Ready } found && found.Cell.ReadCpu() is { } nanoseconds ? TimeSpan.FromTicks(nanoseconds / 100) : null;
}
