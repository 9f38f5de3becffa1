using System.Text.RegularExpressions;

namespace Cove.Agent.Permissions;

/// <summary>One rule, <c>Tool</c> or <c>Tool(specifier)</c>, as it was written and as it is understood.</summary>
internal sealed partial class ToolRule
{
    /// <summary>The tools whose specifier is a path.</summary>
    private static readonly HashSet<string> _paths = ["Read", "Edit", "Write"];

    private readonly PathPattern? _path;

    private ToolRule(string text, string tool, string? specifier, bool allows)
    {
        (Text, Tool) = (text, tool);
        Specifier = specifier is null or "*" or "" ? null : specifier;
        if (Specifier is not null && _paths.Contains(tool))
        {
            _path = new PathPattern(Specifier, anyDepth: !allows);
        }
        else if (Specifier is not null && tool == "Bash")
        {
            Command = Specifier.EndsWith(":*", StringComparison.Ordinal) ? Specifier[..^2] + " *" : Specifier;
        }
    }

    /// <summary>The rule as it was written.</summary>
    public string Text { get; }

    /// <summary>The tool's name, in rules that forbid perhaps with <c>*</c>.</summary>
    public string Tool { get; }

    /// <summary>What stands in the parentheses; null when the rule means every call.</summary>
    public string? Specifier { get; }

    /// <summary>The command pattern of a rule for Bash.</summary>
    public string? Command { get; }

    /// <summary>Whether the command pattern has no wildcard.</summary>
    public bool IsExactCommand => Command is not null && !Command.Contains('*', StringComparison.Ordinal);

    /// <summary>Reads a rule; one that could never do what it seems to say is refused.</summary>
    public static ToolRule Parse(string text, bool allows)
    {
        var match = Form().Match(text.Trim());
        if (!match.Success || text.Length > 2000)
        {
            throw Bad(text, "it is no rule; write Tool or Tool(specifier), for example Bash(npm run test:*)");
        }

        var tool = match.Groups["tool"].Value;
        var specifier = match.Groups["specifier"] is { Success: true } given ? given.Value : null;
        if (allows && tool.Contains('*', StringComparison.Ordinal) && !ServerTools().IsMatch(tool))
        {
            throw Bad(text, "a rule that allows names its tool; only after mcp__server__ may it end in *");
        }

        if (specifier is not (null or "*" or "") && tool != "Bash" && !_paths.Contains(tool) && (allows || !specifier.Contains(':', StringComparison.Ordinal)))
        {
            throw Bad(text, allows
                ? $"only Bash, Read, Edit and Write take a specifier in a rule that allows; write {tool} for all its calls"
                : $"write {tool} for all its calls, or {tool}(field:value) for those whose input has that value");
        }

        return new ToolRule(text.Trim(), tool, specifier, allows);
    }

    /// <summary>Whether the rule is about this tool at all.</summary>
    public bool IsAbout(IReadOnlyList<string> names) =>
        names.Any(name => Glob.Matches(Tool, name) || (Tool.StartsWith("mcp__", StringComparison.Ordinal) && name.StartsWith(Tool + "__", StringComparison.Ordinal)));

    public bool MatchesPath(string path) => _path?.Matches(path) ?? true;

    /// <summary>Whether a command's text matches. A blank and a star at the end also mean nothing more.</summary>
    public bool MatchesCommand(string command) => Command is not { } pattern || Glob.Matches(pattern, command)
        || (pattern.EndsWith(" *", StringComparison.Ordinal) && Glob.Matches(pattern.AsSpan()[..^2], command));

    private static ArgumentException Bad(string text, string why) => new($"The tool rule '{Tools.Excerpts.OneLine(text, 200)}' does not hold: {why}.", nameof(text));

    [GeneratedRegex(@"^(?<tool>[A-Za-z0-9_.*-]{1,200})(\((?<specifier>.*)\))?$", RegexOptions.ExplicitCapture | RegexOptions.Singleline, 1000)]
    private static partial Regex Form();

    [GeneratedRegex(@"^mcp__[A-Za-z0-9_.-]+?__[A-Za-z0-9_.*-]+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ServerTools();
}
