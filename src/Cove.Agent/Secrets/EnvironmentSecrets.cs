namespace Cove.Agent.Secrets;

/// <summary>Secrets in this process's environment: each variable is one, and an empty one is none.</summary>
public sealed class EnvironmentSecrets : ISecretSource
{
    private readonly Func<string, string?> _read;

    /// <summary>The environment of this process.</summary>
    public EnvironmentSecrets()
        : this(Environment.GetEnvironmentVariable)
    {
    }

    internal EnvironmentSecrets(Func<string, string?> read) => _read = read;

    /// <inheritdoc/>
    public string Place => "the environment";

    /// <inheritdoc/>
    public ValueTask<string?> FindAsync(string name, CancellationToken cancellationToken) => new(_read(name) is { Length: > 0 } value ? value : null);
}
