namespace Cove.Server.Access.Tenancy;

/// <summary>Why a sandbox ended that the database takes for alive, after its server was killed: its journal was written before anybody heard of the end.</summary>
internal static class LeftEnds
{
    public static async Task<SandboxEndReason> ReasonAsync(ICove engine, SandboxId sandbox)
    {
        try
        {
            // The engine found it alive when it started, and ended it; this costs no look into files.
            if ((await engine.GetSandboxAsync(sandbox)).EndReason is { } known)
            {
                return known;
            }
        }
        catch (CoveException)
        {
            // It had ended before that.
        }

        try
        {
            await foreach (var next in engine.ReadSandboxEventsAsync(sandbox))
            {
                if (next.EndReason is { } reason)
                {
                    return reason;
                }
            }
        }
        catch (CoveException)
        {
            // There is no journal of it any more.
        }

        return SandboxEndReason.EngineLost;
    }
}
