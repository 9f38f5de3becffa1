using Cove.Agent.Permissions.Shell;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;

namespace Cove.Agent.Permissions;

/// <summary>
/// Rules for commands. To be allowed, every command that the text can start must be allowed by a rule, and every file it is redirected to be one that may be
/// changed; what is not certain is asked about. To be refused, one that looks like it is enough. Pure.
/// </summary>
internal static class CommandRules
{
    public static PermissionDecision Decide(string command, IReadOnlyList<ToolRule> allow, Func<string, bool> mayChange)
    {
        var rules = allow.Where(rule => rule.Command is not null).ToArray();
        if (Array.Find(rules, rule => rule.IsExactCommand && rule.Command == command.Trim()) is { } same)
        {
            return new(Permission.Allow, $"The rule {same.Text} allows it.", same.Text);
        }

        var units = ShellUnits.Of(command);
        if (units.Doubt is { } doubt)
        {
            return new(Permission.Ask, $"What the command does is not certain: {doubt}.");
        }

        if (units.All.Count == 0)
        {
            return new(Permission.Ask, "There is no command.");
        }

        string? by = null;
        foreach (var unit in units.All)
        {
            var (rule, why) = Allows(unit, rules, mayChange);
            if (why is not null)
            {
                return new(Permission.Ask, why);
            }

            by ??= rule?.Text;
        }

        return new(Permission.Allow, by is null ? "It starts no command." : $"Every command in it is allowed, the first by the rule {by}.", by);
    }

    /// <summary>Whether a rule that refuses or asks speaks of any command in a text.</summary>
    public static bool Forbids(ToolRule rule, string command)
    {
        var units = ShellUnits.Of(command);
        return units.All.Any(unit => Forbids(rule, unit.Command, 0)) || (units.Doubt is not null && ForbidsAnywhere(rule, command));
    }

    /// <summary>Whether a text is redirected to or from a file that a rule protects.</summary>
    public static bool ForbidsRedirect(ToolRule rule, string command) => rule.Tool is "Read" or "Edit" or "Write" && ShellUnits.Of(command).All
        .SelectMany(unit => unit.Command.Redirects)
        .Any(redirect => (redirect.Writes || rule.Tool == "Read") && rule.MatchesPath(SandboxPaths.Resolve(redirect.Target.Literal ?? redirect.Target.Raw)));

    private static (ToolRule? Rule, string? Why) Allows(ShellUnit unit, ToolRule[] rules, Func<string, bool> mayChange)
    {
        var command = unit.Command;
        foreach (var redirect in command.Redirects)
        {
            if (redirect.Writes && redirect.Target.Literal is not ("/dev/null" or "/dev/stdout" or "/dev/stderr") && !MayChange(redirect.Target.Literal, mayChange))
            {
                return (null, $"It writes to {Excerpts.OneLine(redirect.Target.Raw, 200)}, and no rule allows that with certainty.");
            }

            if (!redirect.Writes && redirect.Target.Literal is null or ['/', 'd', 'e', 'v', '/', ..] and not "/dev/null" and not "/dev/stdin")
            {
                return (null, $"It reads from {Excerpts.OneLine(redirect.Target.Raw, 200)}, which is no plain file with certainty.");
            }
        }

        if (Array.Find(rules, rule => rule.IsExactCommand && !command.IsOpenEnded && command.Words.Count > 0 && rule.Command == command.Full) is { } exact)
        {
            return (exact, null);
        }

        var shown = Excerpts.OneLine(command.Full, 200);
        if (!command.Assignments.All(ShellVariables.IsHarmless))
        {
            return (null, $"It sets variables that can change what commands do: {shown}.");
        }

        if (command.Words.Count == 0)
        {
            return (null, null);
        }

        if (command.Name is null)
        {
            return (null, $"Which command it starts is not certain: {shown}.");
        }

        if (unit.ExactOnly)
        {
            return (null, $"It starts other commands, and no rule allows it word for word: {shown}.");
        }

        return Array.Find(rules, rule => Matches(rule, command)) is { } found ? (found, null) : (null, $"No rule allows this command: {shown}.");
    }

    private static bool Matches(ToolRule rule, ShellCommand command) => rule.MatchesCommand(command.Raw) || (command.Plain is { } plain && rule.MatchesCommand(plain));

    /// <summary>A relative path is one in a directory that nobody knows: the shell stays, and so does where it went.</summary>
    private static bool MayChange(string? target, Func<string, bool> mayChange) =>
        target is ['/', ..] and not ['/', 'd', 'e', 'v', '/', ..] and not ['/', 'p', 'r', 'o', 'c', '/', ..] && mayChange(SandboxPaths.Resolve(target));

    private static bool Forbids(ToolRule rule, ShellCommand command, int depth)
    {
        if (rule.MatchesCommand(command.Loose) || rule.MatchesCommand(command.Raw) || rule.MatchesCommand(command.Full))
        {
            return true;
        }

        if (depth > 4 || command.Words.Count < 2 || !ShellUnits.IsRunner(command.Loose.Split(' ')[0]))
        {
            return false;
        }

        // What a runner starts is somewhere among its words, or in one of them as a text.
        return Enumerable.Range(1, command.Words.Count - 1).Any(i => Forbids(rule, command with { Words = [.. command.Words.Skip(i)] }, depth + 1))
            || command.Words.Skip(1).Any(word => word.Literal is { } text && text.Contains(' ', StringComparison.Ordinal)
                && ShellUnits.Of(text).All.Any(unit => Forbids(rule, unit.Command, depth + 1)));
    }

    /// <summary>In a text that is not understood: whether the pattern's beginning stands anywhere, with or without quotes.</summary>
    private static bool ForbidsAnywhere(ToolRule rule, string command)
    {
        var star = rule.Command!.IndexOf('*', StringComparison.Ordinal);
        var head = (star < 0 ? rule.Command : rule.Command[..star]).Trim();
        return head.Length == 0 || Stands(head, command) || Stands(head, command.Replace("\"", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal).Replace("\\", "", StringComparison.Ordinal));

        static bool Stands(string head, string text)
        {
            for (var at = text.IndexOf(head, StringComparison.Ordinal); at >= 0; at = text.IndexOf(head, at + 1, StringComparison.Ordinal))
            {
                if (at == 0 || !(char.IsLetterOrDigit(text[at - 1]) || text[at - 1] is '_' or '-' or '.'))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
