namespace Cove.Client;

public sealed partial class CoveClient
{
    /// <inheritdoc/>
    public Task<Terminal> OpenTerminalAsync(SandboxId sandbox, TerminalRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");
}
