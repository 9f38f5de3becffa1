namespace Cove.Server.Access.Audit;

/// <summary>What a request turns out to be about, filled in on its way.</summary>
internal sealed class AuditNote
{
    public string? Sandbox { get; set; }

    public string? Run { get; set; }

    /// <summary>How its run ended.</summary>
    public string? Outcome { get; set; }
}
