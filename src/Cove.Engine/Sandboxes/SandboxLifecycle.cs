namespace Cove.Engine.Sandboxes;

/// <summary>What can happen to a sandbox.</summary>
internal enum SandboxTrigger
{
    /// <summary>It answers.</summary>
    Made,

    /// <summary>Somebody or a timer asked for its end.</summary>
    EndAsked,

    /// <summary>Its cell is gone.</summary>
    CellDied,

    /// <summary>Everything it held was given back.</summary>
    TornDown,
}

/// <summary>The states of a sandbox and the ways between them. Pure; whatever is not in the table is a fault of the engine.</summary>
internal static class SandboxLifecycle
{
    public static SandboxState Next(SandboxState state, SandboxTrigger trigger) => (state, trigger) switch
    {
        (SandboxState.Creating, SandboxTrigger.Made) => SandboxState.Ready,
        (SandboxState.Creating, SandboxTrigger.EndAsked) => SandboxState.Ending,
        (SandboxState.Creating, SandboxTrigger.CellDied) => SandboxState.Ending,
        (SandboxState.Ready, SandboxTrigger.EndAsked) => SandboxState.Ending,
        (SandboxState.Ready, SandboxTrigger.CellDied) => SandboxState.Ending,

        // Its end may be asked for between its being listed and its being ready.
        (SandboxState.Ending, SandboxTrigger.Made) => SandboxState.Ending,
        (SandboxState.Ended, SandboxTrigger.Made) => SandboxState.Ended,

        // Ending twice is no error, and tearing down is what kills the cell.
        (SandboxState.Ending, SandboxTrigger.EndAsked) => SandboxState.Ending,
        (SandboxState.Ending, SandboxTrigger.CellDied) => SandboxState.Ending,
        (SandboxState.Ending, SandboxTrigger.TornDown) => SandboxState.Ended,
        (SandboxState.Ended, SandboxTrigger.EndAsked) => SandboxState.Ended,
        (SandboxState.Ended, SandboxTrigger.CellDied) => SandboxState.Ended,
        _ => throw new InvalidOperationException($"A sandbox that is {state} cannot become {trigger}."),
    };
}
