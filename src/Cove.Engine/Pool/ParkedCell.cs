using Cove.Engine.Isolation;
using Cove.Engine.Kernels;

namespace Cove.Engine.Pool;

/// <summary>A cell that waits for an owner, with its Python kernel greeted but not yet configured (null where the template has no Python).</summary>
internal sealed record ParkedCell(Cell Cell, GreetedKernel? Python, SandboxLimits Limits)
{
    public bool IsAlive => !Cell.Exited.IsCompleted && Python is not { Process.Exited.IsCompleted: true };

    /// <summary>Completes when it can no longer be handed out.</summary>
    public Task Died => Python is null ? Cell.Exited : Task.WhenAny(Cell.Exited, Python.Process.Exited);
}
