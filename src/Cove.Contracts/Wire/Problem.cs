namespace Cove.Wire;

/// <summary>An error as RFC 9457 (<c>application/problem+json</c>), with the fields of <see cref="RunError"/> beside the standard ones.</summary>
public sealed record Problem
{
    /// <summary>The media type it travels under.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>Names the kind of problem; <c>urn:cove:error:</c> and the code.</summary>
    public required string Type { get; init; }

    /// <summary>The code, as words.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>What happened; the error's message.</summary>
    public required string Detail { get; init; }

    /// <inheritdoc cref="RunError.Code"/>
    public required string Code { get; init; }

    /// <inheritdoc cref="RunError.Category"/>
    public required ErrorCategory Category { get; init; }

    /// <inheritdoc cref="RunError.Retryable"/>
    public required bool Retryable { get; init; }

    /// <inheritdoc cref="RunError.Remediation"/>
    public required string Remediation { get; init; }

    /// <inheritdoc cref="RunError.Evidence"/>
    public ErrorEvidence? Evidence { get; init; }

    /// <summary>Writes an error as a problem.</summary>
    public static Problem From(RunError error, int status) => new()
    {
        Type = "urn:cove:error:" + error.Code,
        Title = error.Code.Replace('_', ' '),
        Status = status,
        Detail = error.Message,
        Code = error.Code,
        Category = error.Category,
        Retryable = error.Retryable,
        Remediation = error.Remediation,
        Evidence = error.Evidence,
    };

    /// <summary>Reads the error back.</summary>
    public RunError ToError() => new()
    {
        Code = Code,
        Category = Category,
        Retryable = Retryable,
        Message = Detail,
        Remediation = Remediation,
        Evidence = Evidence,
    };
}
