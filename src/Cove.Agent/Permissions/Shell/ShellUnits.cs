namespace Cove.Agent.Permissions.Shell;

/// <summary>A command that a rule has to speak for.</summary>
/// <param name="Command">The command, taken out of what merely starts it.</param>
/// <param name="ExactOnly">Whether it starts other programs in a way that is not looked through, so that only a rule without wildcards speaks for it.</param>
internal sealed record ShellUnit(ShellCommand Command, bool ExactOnly);

/// <summary>
/// Looks through commands that start others: <c>timeout 5 npm test</c> is <c>npm test</c>, <c>bash -c '…'</c> is what stands in the quotes. Others
/// (<c>sudo</c>, <c>watch</c>, <c>find -exec</c>) do more than start a command; they are left whole and want a rule of their own, word for word.
/// </summary>
internal sealed class ShellUnits
{
    private const int MaxDepth = 10;

    private static readonly HashSet<string> _shells = ["bash", "sh", "dash"];

    private static readonly HashSet<string> _runners =
    [
        "sudo", "doas", "su", "runuser", "watch", "setsid", "ionice", "chrt", "taskset", "flock", "chroot", "unshare", "nsenter", "setpriv", "systemd-run", "strace", "ltrace",
        "parallel", "script", "ssh", "busybox", "zsh", "ksh", "fish", "csh", "tcsh", "source", ".", "trap", "enable", "alias", "coproc", "rbash",
        "eval", "exec", "env", "xargs", "nohup", "time", "timeout", "nice", "stdbuf", "builtin",
        "bind", "compgen", "complete", "compopt", "fc", "hash", "jobs", "mapfile", "readarray",
    ];

    /// <summary>Builtins that evaluate a name they are given: <c>test -v 'a[$(command)]'</c> runs the command.</summary>
    private static readonly HashSet<string> _evaluators = ["declare", "export", "getopts", "let", "local", "printf", "read", "readonly", "test", "typeset", "unset", "wait", "["];

    private readonly List<ShellUnit> _units = [];

    /// <summary>What is not certain; null when everything is.</summary>
    public string? Doubt { get; private set; }

    public IReadOnlyList<ShellUnit> All => _units;

    public static ShellUnits Of(string command)
    {
        var units = new ShellUnits();
        units.Take(ShellScript.Parse(command), 0);
        return units;
    }

    /// <summary>Whether a program starts what its arguments say, so that a rule that forbids a command looks at them too.</summary>
    public static bool IsRunner(string name) => _runners.Contains(name) || _shells.Contains(name) || name is "find" or "fd" or "fdfind" or "command";

    private void Take(ShellScript script, int depth)
    {
        Doubt ??= script.Doubt;
        foreach (var command in script.Commands)
        {
            Take(command, depth);
        }
    }

    private void Take(ShellCommand command, int depth)
    {
        if (depth > MaxDepth)
        {
            Doubt ??= "it is nested too deeply";
        }
        else if (command.Name is null)
        {
            _units.Add(new ShellUnit(command, ExactOnly: false)); // nothing but assignments, or a name that is not certain: who judges sees it
        }
        else if (Started(command) is { } inner)
        {
            Take(command with { Words = [.. command.Words.Skip(inner)], IsOpenEnded = command.IsOpenEnded || command.Name == "xargs" }, depth + 1);
        }
        else if (Script(command) is { } text)
        {
            _units.Add(new ShellUnit(command with { Words = [], IsOpenEnded = false }, ExactOnly: false)); // its assignments and redirections
            // Other shells read $'…' as a dollar sign and a plain quote, which ends elsewhere.
            Doubt ??= command.Name is "sh" or "dash" && (text.Contains("$'", StringComparison.Ordinal) || text.Contains("$\"", StringComparison.Ordinal)) ? "sh reads $'…' another way" : null;
            Take(ShellScript.Parse(text), depth + 1);
        }
        else
        {
            _units.Add(new ShellUnit(command, IsWhole(command)));
        }
    }

    /// <summary>How many words stand before the command that this one merely starts; null when it starts none, or is not looked through.</summary>
    private static int? Started(ShellCommand command)
    {
        var words = command.Words.Select(w => w.Literal).ToArray();
        var at = words[0] switch
        {
            "command" when words.ElementAtOrDefault(1) is "-p" => 2,
            "command" or "builtin" or "nohup" or "exec" or "xargs" => 1,
            "time" => words.ElementAtOrDefault(1) is "-p" ? 2 : 1,
            "nice" => AfterOptions(words, 1, ["-n"]),
            "stdbuf" => AfterOptions(words, 1, ["-i", "-o", "-e"]),
            "timeout" => AfterOptions(words, 1, ["-k", "-s"]) is { } duration && words.ElementAtOrDefault(duration) is { Length: > 0 } time && char.IsAsciiDigit(time[0]) ? duration + 1 : null,
            "env" => AfterAssignments(command),
            _ => (int?)null,
        };
        return at is { } start && start < words.Length && words[start]?.StartsWith('-') == false ? start : null;
    }

    /// <summary>
    /// Past options, of which some take a value in the next word. An option that is not known by its look ends it; a value that is not known may be
    /// several words, the command among them, and is not looked past.
    /// </summary>
    private static int? AfterOptions(string?[] words, int at, string[] takeValue)
    {
        while (at < words.Length && words[at] is { } option && option.StartsWith('-'))
        {
            var takes = takeValue.Contains(option);
            if (takes && words.ElementAtOrDefault(at + 1) is null)
            {
                return null;
            }

            at += takes ? 2 : 1;
        }

        return at < words.Length ? at : null;
    }

    private static int? AfterAssignments(ShellCommand command)
    {
        var at = 1;
        while (at < command.Words.Count && command.Words[at].Raw.IndexOf('=', StringComparison.Ordinal) > 0)
        {
            // To bash these are words like any: one that is expanded may become several, the command among them.
            if (command.Words[at].Literal is null || !ShellVariables.IsHarmless(command.Words[at]))
            {
                return null;
            }

            at++;
        }

        return at < command.Words.Count ? at : null;
    }

    /// <summary>The text that <c>eval</c> or a shell with <c>-c</c> reads as commands; null when there is none, or it is not known.</summary>
    private static string? Script(ShellCommand command)
    {
        var words = command.Words.Select(w => w.Literal).ToArray();
        if (words[0] == "eval")
        {
            return !command.IsOpenEnded && words.Length > 1 && Array.TrueForAll(words, w => w is not null) && words[1] is not ['-', ..] ? string.Join(' ', words[1..]) : null;
        }

        return _shells.Contains(words[0]!) && words.Length >= 3 && words[1] is ['-', .. { Length: > 0 } flags] && flags[^1] == 'c' && flags.All(f => f is 'c' or 'e' or 'u' or 'x' or 'l')
            ? words[2]
            : null;
    }

    /// <summary>Whether a command that is not looked through may start others or change what later commands are.</summary>
    private static bool IsWhole(ShellCommand command)
    {
        var name = command.Name!;
        var file = name[(name.LastIndexOf('/') + 1)..];
        if (file is "find" or "fd" or "fdfind")
        {
            return command.IsOpenEnded || command.Words.Any(w => w.Literal is null || Acts(w.Literal));
        }

        if (_evaluators.Contains(file))
        {
            return command.IsOpenEnded || command.Words.Any(w => w.Literal is null || w.Literal.AsSpan().IndexOfAny('$', '`') >= 0);
        }

        return _runners.Contains(file) || _shells.Contains(file) || (file == "command" && command.Words.Count > 1 && command.Words[1].Literal is not ("-v" or "-V"));

        static bool Acts(string word) => word.StartsWith("-exec", StringComparison.Ordinal) || word.StartsWith("-ok", StringComparison.Ordinal) || word.StartsWith("-f", StringComparison.Ordinal)
            || word is "-delete" or "-x" or "-X" or "--exec" or "--exec-batch";
    }
}
