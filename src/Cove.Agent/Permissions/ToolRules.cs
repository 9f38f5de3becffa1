using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Permissions;

/// <summary>
/// Which calls of tools are made, asked about or refused, by rules as Claude Code writes them: <c>Read</c>, <c>Bash(npm run test:*)</c>, <c>Edit(/src/**)</c>,
/// <c>mcp__server__tool</c>. What a rule refuses is refused whatever else is said, then what a rule asks about is asked, then comes what a rule allows,
/// and then the mode. Rules are a seat belt, not a boundary: the sandbox is that.
/// </summary>
public sealed class ToolRules
{
    private readonly ToolRule[] _allow;
    private readonly ToolRule[] _ask;
    private readonly ToolRule[] _deny;

    /// <summary>Reads rules; one that does not hold is refused by name.</summary>
    /// <param name="allow">What needs no asking.</param>
    /// <param name="ask">What is asked about, whatever else allows it.</param>
    /// <param name="deny">What is refused, whatever else allows it.</param>
    /// <param name="mode">What happens to the rest.</param>
    public ToolRules(IEnumerable<string>? allow = null, IEnumerable<string>? ask = null, IEnumerable<string>? deny = null, PermissionMode mode = PermissionMode.Default)
    {
        _allow = [.. (allow ?? []).Select(rule => ToolRule.Parse(rule, allows: true))];
        _ask = [.. (ask ?? []).Select(rule => ToolRule.Parse(rule, allows: false))];
        _deny = [.. (deny ?? []).Select(rule => ToolRule.Parse(rule, allows: false))];
        Mode = mode;
    }

    /// <summary>What happens to calls that no rule speaks of.</summary>
    public PermissionMode Mode { get; }

    /// <summary>The mode of a name that Claude Code knows it by: <c>default</c>, <c>manual</c>, <c>acceptEdits</c>, <c>plan</c>, <c>bypassPermissions</c>.</summary>
    public static PermissionMode ParseMode(string name) => name switch
    {
        "default" or "manual" => PermissionMode.Default,
        "acceptEdits" => PermissionMode.AcceptEdits,
        "plan" => PermissionMode.Plan,
        "bypassPermissions" => PermissionMode.BypassPermissions,
        _ => throw new ArgumentException($"The permission mode is '{Tools.Excerpts.OneLine(name, 100)}'; it must be default, acceptEdits, plan or bypassPermissions.", nameof(name)),
    };

    /// <summary>Rules that stand in one text, with commas or blanks between them outside parentheses, as <c>--allowedTools</c> takes them.</summary>
    public static IReadOnlyList<string> Split(string rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        List<string> found = [];
        var (start, depth) = (0, 0);
        for (var i = 0; i <= rules.Length; i++)
        {
            var c = i == rules.Length ? ',' : rules[i];
            depth += c switch { '(' => 1, ')' => -1, _ => 0 };
            if (i == rules.Length || (depth <= 0 && (c is ',' || char.IsWhiteSpace(c))))
            {
                if (rules[start..i].Trim() is { Length: > 0 } rule)
                {
                    found.Add(rule);
                }

                start = i + 1;
            }
        }

        return found;
    }

    /// <summary>Whether every call of a tool is refused, so that a model need not be told of it.</summary>
    public PermissionDecision? RefusedAltogether(AITool tool)
    {
        ArgumentNullException.ThrowIfNull(tool);
        ToolRule? refusing = null;
        foreach (var kind in ToolSubject.KindsOf(tool))
        {
            refusing = Array.Find(_deny, rule => rule.Specifier is null && rule.IsAbout(kind.Names));
            if (refusing is null)
            {
                return null;
            }
        }

        return Refused(refusing!);
    }

    /// <summary>Decides on a call of a tool in hand. One that asks for approval itself (<see cref="ApprovalRequiredAIFunction"/>) is asked about in every mode.</summary>
    public PermissionDecision Decide(AITool tool, JsonElement input)
    {
        ArgumentNullException.ThrowIfNull(tool);
        return Decide(ToolSubject.Of(tool, input), tool.GetService<ApprovalRequiredAIFunction>() is not null);
    }

    /// <summary>Decides on a call of a tool by its name: one of ours, of Claude Code's, or any other's.</summary>
    public PermissionDecision Decide(string tool, JsonElement input)
    {
        ArgumentNullException.ThrowIfNull(tool);
        return Decide(ToolSubject.Of(tool, input), needsApproval: false);
    }

    private PermissionDecision Decide(ToolSubject call, bool needsApproval)
    {
        if (Array.Find(_deny, rule => Forbids(rule, call)) is { } denied)
        {
            return Refused(denied);
        }

        if (Mode == PermissionMode.Plan && call.Effect != ToolEffect.Read)
        {
            return new(Permission.Deny, "In plan mode nothing is run or changed; only reading is allowed.");
        }

        if (Array.Find(_ask, rule => Forbids(rule, call)) is { } asked)
        {
            return new(Permission.Ask, $"The rule {asked.Text} asks about it.", asked.Text);
        }

        if (needsApproval)
        {
            return new(Permission.Ask, "The tool itself asks for approval.");
        }

        return Mode == PermissionMode.BypassPermissions ? new(Permission.Allow, "Nothing refuses it, and the mode is bypassPermissions.") : Allowed(call);
    }

    private PermissionDecision Allowed(ToolSubject call)
    {
        if (Array.Find(_allow, rule => rule.Specifier is null && rule.IsAbout(call.Names)) is { } whole)
        {
            return ByRule(whole);
        }

        if (call.Effect == ToolEffect.Command)
        {
            return CommandRules.Decide(call.Command ?? "", _allow, path => Writable(path) is { Permission: Permission.Allow });
        }

        if (call is { Effect: ToolEffect.Read, Path: { } read })
        {
            return Array.Find(_allow, rule => rule.IsAbout(["Read"]) && rule.MatchesPath(read)) is { } rule ? ByRule(rule) : new(Permission.Allow, "Files of the sandbox may be read.");
        }

        if (call is { Effect: ToolEffect.Edit, Path: { } edited })
        {
            return Writable(edited, call.Names);
        }

        return call.Effect == ToolEffect.Read ? new(Permission.Allow, "Files of the sandbox may be read.") : new(Permission.Ask, "No rule allows it.");
    }

    private PermissionDecision Writable(string path, IReadOnlyList<string>? names = null)
    {
        if (Array.Find(_allow, rule => rule.IsAbout(names ?? ["Edit", "Write"]) && rule.MatchesPath(path)) is { } rule)
        {
            return ByRule(rule);
        }

        return Mode == PermissionMode.AcceptEdits && path.StartsWith("/workspace/", StringComparison.Ordinal)
            ? new(Permission.Allow, "The mode accepts edits under /workspace.")
            : new(Permission.Ask, "No rule allows it to change this file.");
    }

    /// <summary>Whether a rule that refuses or asks speaks of a call. It reads generously: a path that may not be read may not be changed either.</summary>
    private static bool Forbids(ToolRule rule, ToolSubject call)
    {
        var about = rule.IsAbout(call.Names) || (rule.Tool == "Read" && rule.Specifier is not null && call.Effect == ToolEffect.Edit);
        if (rule.Specifier is null)
        {
            return about;
        }

        if (call.Effect == ToolEffect.Command)
        {
            return rule.Command is not null ? about && CommandRules.Forbids(rule, call.Command ?? "") : CommandRules.ForbidsRedirect(rule, call.Command ?? "");
        }

        if (!about)
        {
            return false;
        }

        if (call.Path is { } path && rule.Tool is "Read" or "Edit" or "Write")
        {
            return call.Path is not null && rule.MatchesPath(call.Path);
        }

        var colon = rule.Specifier.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && call.HasField(rule.Specifier[..colon].Trim(), rule.Specifier[(colon + 1)..].Trim());
    }

    private static PermissionDecision ByRule(ToolRule rule) => new(Permission.Allow, $"The rule {rule.Text} allows it.", rule.Text);

    private static PermissionDecision Refused(ToolRule rule) => new(Permission.Deny, $"The rule {rule.Text} refuses it.", rule.Text);
}
