namespace Cove.Agent.Loop;

/// <summary>What the one who was asked says.</summary>
/// <param name="Granted">Whether the call may be done.</param>
/// <param name="Reason">Why not; the model reads it.</param>
public sealed record Approval(bool Granted, string Reason = "")
{
    /// <summary>Yes.</summary>
    public static Approval Yes { get; } = new(true);

    /// <summary>No, and why.</summary>
    public static Approval No(string reason = "The user did not approve this call.") => new(false, reason);
}
