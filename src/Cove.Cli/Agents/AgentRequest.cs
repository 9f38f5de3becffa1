using Cove.Agent.Loop;

namespace Cove.Cli.Agents;

/// <summary>What <c>cove agent</c> was asked for.</summary>
internal sealed record AgentRequest
{
    public required Func<string> ReadQuestion { get; init; }

    public required SandboxRequest Sandbox { get; init; }

    public required Func<ModelChoice> ChooseModel { get; init; }

    public required AgentOptions Options { get; init; }

    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Files of declared HTTP tools.</summary>
    public IReadOnlyList<string> ToolFiles { get; init; } = [];

    /// <summary>Files that name MCP servers.</summary>
    public IReadOnlyList<string> ServerFiles { get; init; } = [];

    /// <summary>A file of secrets for declared tools; null: the environment alone.</summary>
    public string? SecretsFile { get; init; }

    public string? Transcript { get; init; }

    /// <summary>A transcript whose conversation is gone on with; null: a new one.</summary>
    public string? Resume { get; init; }

    public string? OutDirectory { get; init; }

    public bool Ask { get; init; }

    public bool Json { get; init; }
}
