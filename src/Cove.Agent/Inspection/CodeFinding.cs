namespace Cove.Agent.Inspection;

/// <summary>What a finding is about.</summary>
public enum CodeConcern
{
    /// <summary>Another program is started.</summary>
    Subprocess,

    /// <summary>Text is run as code.</summary>
    DynamicCode,

    /// <summary>The network is used.</summary>
    Network,

    /// <summary>Much is removed at once.</summary>
    Destruction,

    /// <summary>Secrets or settings of a system are read.</summary>
    Secrets,
}

/// <summary>Something in a text that the one who runs it may want to know of.</summary>
/// <param name="Concern">What it is about.</param>
/// <param name="Line">The line it is in, from 1.</param>
/// <param name="Evidence">What was found, on one line.</param>
public sealed record CodeFinding(CodeConcern Concern, int Line, string Evidence);
