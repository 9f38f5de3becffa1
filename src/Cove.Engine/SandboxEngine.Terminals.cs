using Cove.Engine.Terminals;

namespace Cove.Engine;

public sealed partial class SandboxEngine
{
    /// <inheritdoc/>
    public Task<Terminal> OpenTerminalAsync(SandboxId sandbox, TerminalRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        TerminalRules.Check(request);
        return InSandboxAsync(sandbox, found => found.Terminals.OpenAsync(request, cancellationToken));
    }
}
