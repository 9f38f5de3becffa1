using Cove.Agent.HttpTools.Templates;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>Which headers and parameters a declaration may set.</summary>
internal static class HeaderRules
{
    /// <summary>They decide where a request ends and to whom it goes, or are made from what is sent.</summary>
    private static readonly HashSet<string> _notTheirs = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect", "Cookie", "Accept-Encoding",
    };

    private static readonly HashSet<string> _credentials = new(StringComparer.OrdinalIgnoreCase) { "Authorization", "X-Api-Key", "Api-Key", "X-Auth-Token" };

    public static void Check(Fields fields, MapEntry header, TextTemplate template)
    {
        CheckName(fields, header.Key, header.Line);
        if (_credentials.Contains(header.Key) && !template.Secrets.Any())
        {
            throw fields.File.Bad(header.Line, $"{fields.Full("headers")}.{header.Key} holds credentials that are no secret", "Write ${secret:NAME}, and keep the value in the environment or in the secrets file.");
        }
    }

    /// <summary>Whether a name may be that of a header.</summary>
    public static void CheckName(Fields fields, string name, int line)
    {
        if (name.Length is 0 or > 100 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            throw fields.File.Bad(line, $"'{Excerpts.Shown(name)}' is no name of a header", "Use letters, digits, '-' and '_'.");
        }

        if (_notTheirs.Contains(name) || name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase))
        {
            throw fields.File.Bad(line, $"the header '{name}' is not a declaration's to set", "Leave it out.");
        }
    }

    public static void CheckParameter(Fields fields, MapEntry parameter, TextTemplate template)
    {
        if (parameter.Key.Any(char.IsControl))
        {
            throw fields.File.Bad(parameter.Line, $"{fields.Full("query")}.{Excerpts.Shown(parameter.Key)} has a control character", "Leave it out.");
        }
    }
}
