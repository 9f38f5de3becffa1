using Cove.Agent.HttpTools.Answers;
using Cove.Agent.HttpTools.Schemas;
using Cove.Agent.HttpTools.Templates;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>One declared tool, read and checked. docs/http-tools.md describes every field.</summary>
internal sealed record HttpToolDeclaration
{
    public required string Name { get; init; }

    public required string Description { get; init; }

    public required InputSchema Input { get; init; }

    /// <summary>The route a server gives it besides <c>/tools/{name}</c>; null for none.</summary>
    public string? Route { get; init; }

    public required HttpMethod Method { get; init; }

    public required UrlTemplate Url { get; init; }

    public IReadOnlyList<NamedTemplate> Query { get; init; } = [];

    public IReadOnlyList<NamedTemplate> Headers { get; init; } = [];

    public BodyTemplate? Body { get; init; }

    /// <summary>Whether its host may be at an address that is not public.</summary>
    public bool AllowPrivate { get; init; }

    public RetryDeclaration Retry { get; init; } = new();

    public TimeoutDeclaration Timeout { get; init; } = new();

    public CircuitDeclaration Circuit { get; init; } = new();

    public required ResponseMapping Response { get; init; }

    /// <summary>Whether sending it twice is no more than sending it once.</summary>
    public bool IsRepeatable => Retry.IdempotencyHeader is not null || Method == HttpMethod.Get || Method == HttpMethod.Head || Method == HttpMethod.Put || Method == HttpMethod.Delete;

    /// <summary>The secrets it uses.</summary>
    public IEnumerable<string> Secrets => Query.Concat(Headers).SelectMany(named => named.Template.Secrets).Concat(Body?.Secrets ?? []).Distinct(StringComparer.Ordinal);
}

/// <summary>A query parameter or a header, and the template of its value.</summary>
internal sealed record NamedTemplate(string Name, TextTemplate Template);

/// <summary>When a try is followed by another.</summary>
internal sealed record RetryDeclaration
{
    /// <summary>Tries after the first. Default 3; 0 to 10.</summary>
    public int Max { get; init; } = 3;

    /// <summary>The wait before the second try, doubled at each further one and shaken by chance. Default 0.5 s; 0.01 to 30.</summary>
    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait, also where the answer asks for one with Retry-After; a longer one is told to the caller instead. Default 10 s; 0.01 to 120.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Statuses that are worth another try.</summary>
    public IReadOnlySet<int> Statuses { get; init; } = new HashSet<int> { 408, 429, 500, 502, 503, 504 };

    /// <summary>A header that makes the other side do what it is told twice only once; each call sends one value in all its tries. Default none.</summary>
    public string? IdempotencyHeader { get; init; }

    /// <summary>Whether a POST or PATCH without such a header is sent again when no connection came about. Default no.</summary>
    public bool PostOnConnectFailure { get; init; }
}

/// <summary>How long is waited.</summary>
internal sealed record TimeoutDeclaration
{
    /// <summary>For one try, answer included. Default 10 s; 0.05 to 120.</summary>
    public TimeSpan PerTry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For all tries and the waits between them. Default 30 s; 0.05 to 600.</summary>
    public TimeSpan Total { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>When a host is left alone for a while.</summary>
internal sealed record CircuitDeclaration
{
    /// <summary>The part of tries that must have failed. Default 0.5; 0.1 to 1.</summary>
    public double FailureRatio { get; init; } = 0.5;

    /// <summary>How many tries there must have been. Default 10; 2 to 1,000.</summary>
    public int MinimumTries { get; init; } = 10;

    /// <summary>Within which time. Default 30 s; 1 to 600.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long nothing is sent. Default 30 s; 0.5 to 600.</summary>
    public TimeSpan Open { get; init; } = TimeSpan.FromSeconds(30);
}
