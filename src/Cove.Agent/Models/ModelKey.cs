using Cove.Agent.Secrets;

namespace Cove.Agent.Models;

/// <summary>Where the key of the model comes from: a file that was named, by an option or by the environment, else the environment itself. Never the working directory.</summary>
/// <param name="ApiKey">A key; null when there is a token.</param>
/// <param name="AuthToken">A bearer token; null when there is a key.</param>
public sealed record ModelKey(string? ApiKey, string? AuthToken)
{
    /// <summary>The variable that holds a key.</summary>
    public const string ApiKeyVariable = "ANTHROPIC_API_KEY";

    /// <summary>The variable that holds a token.</summary>
    public const string AuthTokenVariable = "ANTHROPIC_AUTH_TOKEN";

    /// <summary>The variable that names a file which holds the key.</summary>
    public const string FileVariable = "COVE_MODEL_KEY_FILE";

    private const int MaximumBytes = 4_096;

    /// <summary>Finds the key; null when there is none.</summary>
    /// <param name="file">A file that holds nothing but the key and that nobody but its owner may read; null: the one that <see cref="FileVariable"/> names, else the other variables.</param>
    /// <param name="environment">Reads a variable.</param>
    /// <exception cref="CoveException">The file can't be used.</exception>
    public static ModelKey? Find(string? file, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if ((file ?? (environment(FileVariable) is { Length: > 0 } named ? named : null)) is { } path)
        {
            return new ModelKey(Checked(PrivateFile.ReadText(path, MaximumBytes, (what, fix) => Wrong($"The key file {path} can't be used: {what}.", fix)).Trim(), "The key file " + path), null);
        }

        return environment(ApiKeyVariable) is { Length: > 0 } key ? new ModelKey(Checked(key, ApiKeyVariable), null)
            : environment(AuthTokenVariable) is { Length: > 0 } token ? new ModelKey(null, Checked(token, AuthTokenVariable))
            : null;
    }

    /// <summary>Hides it. One of fewer than 8 characters can't be hidden without making nonsense of texts, and is no key of any provider.</summary>
    public Redactor Redactor()
    {
        var redactor = new Redactor();
        if ((ApiKey ?? AuthToken) is { Length: >= Secret.MinimumLength } value)
        {
            redactor.Add(new Secret("MODEL_KEY", value));
        }

        return redactor;
    }

    /// <summary>Not the values: records are printed.</summary>
    public override string ToString() => nameof(ModelKey);

    /// <summary>A key goes into a header: what could be something else there is no key. The value is never in the message.</summary>
    private static string Checked(string key, string where) => key.Length is > 0 and <= MaximumBytes && key.All(c => c is > ' ' and < '\x7f')
        ? key
        : throw Wrong($"{where} holds no key.", "A key is one line of at most 4,096 letters, digits and signs, without spaces.");

    private static CoveException Wrong(string message, string remediation) =>
        new(new RunError { Code = "model_key", Category = ErrorCategory.Request, Retryable = false, Message = message, Remediation = remediation });
}
