using System.Diagnostics;
using Cove.Agent.Tools;

namespace Cove.Agent.Secrets;

/// <summary>A secret and its name. Its text is its name: only who calls <see cref="Reveal"/> gets the value.</summary>
[DebuggerDisplay("{ToString()}")]
public sealed class Secret
{
    /// <summary>A shorter one could not be hidden in texts without making nonsense of them.</summary>
    public const int MinimumLength = 8;

    /// <summary>The longest one, in characters.</summary>
    public const int MaximumLength = 16 * 1024;

    private readonly string _value;

    /// <summary>Checks name and value. The value is in no message.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">8 to 16,384 characters, none of them a control character.</param>
    public Secret(string name, string value)
    {
        if (!SecretName.IsAcceptable(name))
        {
            throw SecretErrors.BadName(name);
        }

        ArgumentNullException.ThrowIfNull(value);
        if (value.Length is < MinimumLength or > MaximumLength)
        {
            throw SecretErrors.Unusable(name, $"it has {value.Length} characters", $"Give one of {MinimumLength} to {MaximumLength} characters.");
        }

        if (value.Any(char.IsControl))
        {
            throw SecretErrors.Unusable(name, "it holds a line end or another control character", "Give it on one line, without the line end that commands such as echo add.");
        }

        (Name, _value) = (name, value);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The value. Whoever takes it sees to it that it goes nowhere but where it belongs.</summary>
    public string Reveal() => _value;

    /// <inheritdoc/>
    public override string ToString() => $"[secret {Name}]";
}

internal static class SecretErrors
{
    public static CoveException BadName(string? name) =>
        Bad("invalid_secret_name", $"'{Excerpts.Shown(name ?? "")}' is no name of a secret.", $"A name is {SecretName.Form}, for example GITHUB_TOKEN.");

    public static CoveException Unusable(string name, string why, string fix) => Bad("unusable_secret", $"The secret {name} can't be used: {why}.", fix);

    public static CoveException Missing(string name, IEnumerable<string> places) =>
        Bad("secret_missing", $"The secret {name} was looked for in {string.Join(" and ", places)}, and is in none.", $"Set the environment variable {name}, or write the line {name}=… into the secrets file.");

    public static CoveException File(string path, string what, string fix) => Bad("secrets_file", $"The secrets file {path} is not acceptable: {what}.", fix);

    private static CoveException Bad(string code, string message, string fix) =>
        new(new RunError { Code = code, Category = ErrorCategory.Request, Retryable = false, Message = message, Remediation = fix });
}
