using System.Text;
using System.Text.RegularExpressions;
using Cove.Agent.Tools.Sandbox;

namespace Cove.Agent.Permissions;

/// <summary>
/// A path in a rule, as gitignore patterns are: <c>//path</c> from the root, <c>~/path</c> from the home directory, <c>/path</c>, <c>./path</c> and <c>path</c> from
/// <c>/workspace</c>; a bare name at any depth beneath it. <c>*</c> stays within a part, <c>**</c> does not. What matches a directory matches what is in it.
/// </summary>
internal sealed class PathPattern
{
    private const string Home = "/home/user";

    private readonly Regex _regex;

    /// <param name="text">The pattern.</param>
    /// <param name="anyDepth">Whether <c>name/**</c> means a directory of that name at any depth: so in rules that forbid, not in those that allow.</param>
    public PathPattern(string text, bool anyDepth)
    {
        var (root, rest) = text switch
        {
            ['/', '/', ..] => ("", text[2..]),
            ['~', '/', ..] => (Home, text[2..]),
            ['/', ..] => (MadeFiles.Workspace, text[1..]),
            ['.', '/', ..] => (MadeFiles.Workspace, text[2..]),
            _ => (MadeFiles.Workspace, Floating(text, anyDepth)),
        };
        _regex = new Regex("^" + Regex.Escape(root) + "/" + Translate(rest.TrimEnd('/')) + "(/.*)?$", RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);
    }

    /// <summary>Whether an absolute path, without <c>.</c> and <c>..</c>, matches.</summary>
    public bool Matches(string path) => _regex.IsMatch(path);

    private static string Floating(string text, bool anyDepth)
    {
        var parts = text.TrimEnd('/').Split('/');
        return parts.Length == 1 || (anyDepth && parts.Length == 2 && parts[1] == "**") ? "**/" + text : text;
    }

    private static string Translate(string pattern)
    {
        var regex = new StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            if (rest.StartsWith("**/"))
            {
                regex.Append("([^/]+/)*");
                i += 2;
            }
            else if (rest.StartsWith("**"))
            {
                regex.Append(".*");
                i++;
            }
            else if (pattern[i] == '*')
            {
                regex.Append("[^/]*");
            }
            else if (pattern[i] == '?')
            {
                regex.Append("[^/]");
            }
            else if (pattern[i] == '[' && pattern.IndexOf(']', i + 2) is var end and > 0)
            {
                regex.Append(Class(pattern[(i + 1)..end]));
                i = end;
            }
            else
            {
                i += pattern[i] == '\\' && i + 1 < pattern.Length ? 1 : 0;
                regex.Append(Regex.Escape(pattern[i].ToString()));
            }
        }

        return regex.ToString();
    }

    private static string Class(string inside)
    {
        var negated = inside[0] is '!' or '^';
        var characters = (negated ? inside[1..] : inside).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal)
            .Replace("]", "\\]", StringComparison.Ordinal).Replace("^", "\\^", StringComparison.Ordinal);
        return $"[{(negated ? "^/" : "")}{characters}]";
    }
}
