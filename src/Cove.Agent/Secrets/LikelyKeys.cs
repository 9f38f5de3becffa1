using System.Text.RegularExpressions;

namespace Cove.Agent.Secrets;

/// <summary>Keys of providers whose form says what they are, though nobody named them as a secret.</summary>
internal static partial class LikelyKeys
{
    private const string Mark = "[redacted key]";

    /// <summary>The text with <c>[redacted key]</c> in their places.</summary>
    public static string Redact(string text) => Forms().Replace(text, Mark);

    [GeneratedRegex(@"sk-ant-[A-Za-z0-9_-]{8,}|cove_[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|xox[abposr]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Forms();
}
