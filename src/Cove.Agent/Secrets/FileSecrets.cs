
namespace Cove.Agent.Secrets;

/// <summary>
/// Secrets in a file of lines <c>NAME=value</c>. It must be a regular file of this user (or root) that nobody else may read or write: 0600 or 0400.
/// Empty lines and lines that begin with <c>#</c> are skipped; a value goes to the end of its line, and a pair of quotes around it is taken off.
/// It is read once, so that a process that gives up its rights afterwards still has them.
/// </summary>
public sealed class FileSecrets : ISecretSource
{
    private const int MaximumBytes = 256 * 1024;
    private readonly Dictionary<string, string> _values;
    private readonly string _path;

    private FileSecrets(string path, Dictionary<string, string> values) => (_path, _values) = (path, values);

    /// <inheritdoc/>
    public string Place => "the file " + _path;

    /// <summary>The names it holds.</summary>
    public IReadOnlyCollection<string> Names => _values.Keys;

    /// <summary>Reads a file of at most 256 KiB. Its contents are in no message.</summary>
    /// <exception cref="CoveException">It is not there, others may read it, it is another user's, or a line is wrong.</exception>
    public static FileSecrets Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = Path.GetFullPath(path);
        return new FileSecrets(path, Parse(path, PrivateFile.ReadText(path, MaximumBytes, (what, fix) => SecretErrors.File(path, what, fix))));
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindAsync(string name, CancellationToken cancellationToken) => new(_values.GetValueOrDefault(name));

    private static Dictionary<string, string> Parse(string path, string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.TrimEnd('\r', ' ', '\t');
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var equals = line.IndexOf('=');
            if (equals < 0 || !SecretName.IsAcceptable(line[..equals]))
            {
                throw SecretErrors.File(path, $"line {number} is not NAME=value", $"A name is {SecretName.Form}, followed by '=' without a space; no 'export' before it.");
            }

            var secret = new Secret(line[..equals], Unquoted(line[(equals + 1)..]));
            if (!values.TryAdd(secret.Name, secret.Reveal()))
            {
                throw SecretErrors.File(path, $"line {number} names {secret.Name} for the second time", "Keep one of the two.");
            }
        }

        return values;
    }

    private static string Unquoted(string value) =>
        value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0] ? value[1..^1] : value;
}
