using Cove.Engine.Isolation;
using Cove.Engine.Kernels;

namespace Cove.Engine.Pool;

/// <summary>
/// A cell that waits for an owner, with its Python kernel (null where the template has none) configured for these limits and variables. An
/// owner who wants others has it configured once more.
/// </summary>
internal sealed record ParkedCell(Cell Cell, GreetedKernel? Python, SandboxLimits Limits, IReadOnlyDictionary<string, string> Environment)
{
    public bool IsAlive => !Cell.Exited.IsCompleted && Python is not { Process.Exited.IsCompleted: true };

    /// <summary>Completes when it can no longer be handed out.</summary>
    public Task Died => Python is null ? Cell.Exited : Task.WhenAny(Cell.Exited, Python.Process.Exited);
}
