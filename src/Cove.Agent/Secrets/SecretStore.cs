namespace Cove.Agent.Secrets;

/// <summary>The sources of secrets, the nearest first, and the <see cref="Redactor"/> that hides what came out of them. Any number of threads may use it.</summary>
public sealed class SecretStore
{
    private readonly IReadOnlyList<ISecretSource> _sources;

    /// <summary>Asks these sources, in this order.</summary>
    public SecretStore(params IReadOnlyList<ISecretSource> sources) => _sources = sources;

    /// <summary>Hides every secret that was ever given out here.</summary>
    public Redactor Redactor { get; } = new();

    /// <summary>The environment, and behind it a file when one is named.</summary>
    /// <param name="file">A file as <see cref="FileSecrets"/> wants it; null for none.</param>
    public static SecretStore Standard(string? file = null) =>
        file is null ? new SecretStore(new EnvironmentSecrets()) : new SecretStore(new EnvironmentSecrets(), FileSecrets.Read(file));

    /// <summary>The secret of a name; from then on the redactor hides it.</summary>
    /// <exception cref="CoveException">There is none, or it can't be used.</exception>
    public async ValueTask<Secret> GetAsync(string name, CancellationToken cancellationToken = default) =>
        await FindAsync(name, cancellationToken).ConfigureAwait(false) ?? throw SecretErrors.Missing(name, _sources.Select(source => source.Place));

    /// <summary>The secret of a name; null when no source has it.</summary>
    /// <exception cref="CoveException">It can't be used.</exception>
    public async ValueTask<Secret?> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        if (!SecretName.IsAcceptable(name))
        {
            throw SecretErrors.BadName(name);
        }

        foreach (var source in _sources)
        {
            if (await source.FindAsync(name, cancellationToken).ConfigureAwait(false) is { } value)
            {
                var secret = new Secret(name, value);
                Redactor.Add(secret);
                return secret;
            }
        }

        return null;
    }
}
