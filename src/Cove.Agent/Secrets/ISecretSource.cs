namespace Cove.Agent.Secrets;

/// <summary>Where secrets are kept: the environment, a file, or a secret manager of a cloud. It is asked when a secret is used, never before.</summary>
public interface ISecretSource
{
    /// <summary>Where it looks, for messages: <c>the environment</c>.</summary>
    string Place { get; }

    /// <summary>The value of a secret; null when it has none of that name.</summary>
    /// <param name="name">A name that <see cref="SecretName"/> takes.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for it any more.</param>
    ValueTask<string?> FindAsync(string name, CancellationToken cancellationToken);
}

/// <summary>What a secret may be called: what an environment variable may be called.</summary>
public static class SecretName
{
    /// <summary>In words, for messages.</summary>
    public const string Form = "1 to 128 of A-Z, a-z, 0-9 and '_', not beginning with a digit";

    /// <summary>Whether a text is a name.</summary>
    public static bool IsAcceptable(string? text) =>
        text is { Length: >= 1 and <= 128 } && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
