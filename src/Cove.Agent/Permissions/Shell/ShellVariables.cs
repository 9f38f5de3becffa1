namespace Cove.Agent.Permissions.Shell;

/// <summary>Variables that a command may be given without becoming another one.</summary>
internal static class ShellVariables
{
    /// <summary>What programs write and how: nothing here names a program, a library, a file to read or a place to look.</summary>
    private static readonly HashSet<string> _harmless =
    [
        "CI", "COLUMNS", "DEBIAN_FRONTEND", "FORCE_COLOR", "GOARCH", "GOOS", "LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME",
        "LINES", "NODE_ENV", "NO_COLOR", "OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "RUST_BACKTRACE", "TERM", "TZ",
    ];

    /// <summary>Whether an assignment before a command, or alone, leaves every command what it is.</summary>
    public static bool IsHarmless(ShellWord assignment)
    {
        var name = assignment.Raw[..assignment.Raw.IndexOf('=', StringComparison.Ordinal)];
        return _harmless.Contains(name.TrimEnd('+'));
    }

    /// <summary>Loop variables are written in small letters by custom; those that bash or programs heed are not.</summary>
    public static bool IsHarmlessInLoop(string name) => name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_') && name is not ("auto_resume" or "histchars" or "http_proxy" or "https_proxy" or "no_proxy" or "all_proxy" or "ftp_proxy");
}
