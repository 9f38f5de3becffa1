namespace Cove.Engine;

public sealed partial class SandboxEngine
{
    /// <inheritdoc/>
    public Task<Terminal> OpenTerminalAsync(SandboxId sandbox, TerminalRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");
}
