using System.Text;

namespace Cove.Agent.Models;

/// <summary>Where the key of the model comes from: a file that was named, else the environment. Never the working directory.</summary>
/// <param name="ApiKey">A key; null when there is a token.</param>
/// <param name="AuthToken">A bearer token; null when there is a key.</param>
public sealed record ModelKey(string? ApiKey, string? AuthToken)
{
    /// <summary>The variable that holds a key.</summary>
    public const string ApiKeyVariable = "ANTHROPIC_API_KEY";

    /// <summary>The variable that holds a token.</summary>
    public const string AuthTokenVariable = "ANTHROPIC_AUTH_TOKEN";

    private const int MaximumBytes = 4_096;

    /// <summary>Finds the key; null when there is none.</summary>
    /// <param name="file">A file that holds nothing but the key and that nobody but its owner may read; null: the environment.</param>
    /// <param name="environment">Reads a variable.</param>
    /// <exception cref="ModelException">The file can't be used.</exception>
    public static ModelKey? Find(string? file, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (file is not null)
        {
            return new ModelKey(ReadFile(file), null);
        }

        return environment(ApiKeyVariable) is { Length: > 0 } key ? new ModelKey(Checked(key, ApiKeyVariable), null)
            : environment(AuthTokenVariable) is { Length: > 0 } token ? new ModelKey(null, Checked(token, AuthTokenVariable))
            : null;
    }

    /// <summary>Its values, for whoever must keep them out of what is written.</summary>
    public IEnumerable<string> Secrets => new[] { ApiKey, AuthToken }.OfType<string>();

    /// <summary>Not the values: records are printed.</summary>
    public override string ToString() => nameof(ModelKey);

    private static string ReadFile(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            var mode = OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(file.SafeFileHandle);
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if ((mode & Others) != 0)
            {
                throw Wrong($"The key file {path} can be read or written by others.", $"chmod 600 {path}");
            }

            var buffer = new byte[MaximumBytes + 1];
            var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return Checked(Encoding.UTF8.GetString(buffer, 0, length).Trim(), "The key file " + path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"The key file {path} can't be read: {failure.Message}", "Give a file that you may read.");
        }
    }

    /// <summary>A key goes into a header: what could be something else there is no key. The value is never in the message.</summary>
    private static string Checked(string key, string where) => key.Length is > 0 and <= MaximumBytes && key.All(c => c is > ' ' and < '\x7f')
        ? key
        : throw Wrong($"{where} holds no key.", "A key is one line of at most 4,096 letters, digits and signs, without spaces.");

    private static ModelException Wrong(string message, string remediation) =>
        new(new Loop.ModelFailure(ModelFailureKind.Authentication, message, remediation));
}
