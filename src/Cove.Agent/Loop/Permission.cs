namespace Cove.Agent.Loop;

/// <summary>What the rules say of a call.</summary>
/// <param name="Verdict">Whether it may be done.</param>
/// <param name="Reason">Why; the model reads it when the call is refused. Names the rule.</param>
public sealed record Permission(Verdict Verdict, string Reason = "")
{
    /// <summary>Go on.</summary>
    public static Permission Allow { get; } = new(Verdict.Allow);
}

/// <summary>What the rules say of a call.</summary>
public enum Verdict
{
    /// <summary>It is done.</summary>
    Allow,

    /// <summary>Somebody is asked first.</summary>
    Ask,

    /// <summary>It is refused.</summary>
    Deny,
}

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
