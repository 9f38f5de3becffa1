namespace Cove.Agent.Permissions;

/// <summary>What happens to a call that no rule speaks of.</summary>
public enum PermissionMode
{
    /// <summary>Files are read; everything else is asked about. Called <c>default</c> or <c>manual</c>.</summary>
    Default,

    /// <summary>Files are read, and written under <c>/workspace</c>; everything else is asked about. Called <c>acceptEdits</c>.</summary>
    AcceptEdits,

    /// <summary>Files are read; everything else is refused, also what a rule allows. Called <c>plan</c>.</summary>
    Plan,

    /// <summary>Everything is allowed that no rule refuses or asks about. Called <c>bypassPermissions</c>.</summary>
    BypassPermissions,
}

/// <summary>What becomes of a call.</summary>
public enum Permission
{
    /// <summary>It is made.</summary>
    Allow,

    /// <summary>Somebody has to agree to it first; without anybody to ask it is refused.</summary>
    Ask,

    /// <summary>It is not made.</summary>
    Deny,
}

/// <summary>A decision and why it was made.</summary>
/// <param name="Permission">What becomes of the call.</param>
/// <param name="Reason">Why, in a sentence for the one who is asked and for the model.</param>
/// <param name="Rule">The rule that decided, as it was written; null when none did.</param>
public sealed record PermissionDecision(Permission Permission, string Reason, string? Rule = null);
