using System.Text;

namespace Cove.Cli.Running;

/// <summary>What the command knows of the languages: their file names, and how a program is told its arguments.</summary>
internal static class Languages
{
    public static bool TryParse(string text, out Language language)
    {
        (var known, language) = text switch
        {
            "python" or "py" => (true, Language.Python),
            "bash" or "sh" => (true, Language.Bash),
            "javascript" or "js" or "node" => (true, Language.JavaScript),
            _ => (false, default),
        };
        return known;
    }

    public static Language? OfFile(string path) => Path.GetExtension(path) switch
    {
        ".py" => Language.Python,
        ".sh" or ".bash" => Language.Bash,
        ".js" or ".mjs" or ".cjs" => Language.JavaScript,
        _ => null,
    };

    public static string NameOf(Language language) => language switch
    {
        Language.Bash => "bash",
        Language.JavaScript => "javascript",
        _ => "python",
    };

    /// <summary>Code that gives a program its name and arguments where it looks for them; run before it, so that its own line numbers stay right.</summary>
    public static string ArgumentsCode(Language language, string name, IEnumerable<string> arguments) => language switch
    {
        // Only a program that is a file has a place of its own, which is where --file puts files.
        Language.Python => (name is "-c" or "-" ? "" : $"__file__ = {PythonText("/workspace/" + name)}; ")
            + $"__import__(\"sys\").argv[:] = [{Join([name, .. arguments], PythonText)}]",
        Language.JavaScript => $"void process.argv.splice(1, process.argv.length, {Join([name, .. arguments], JavaScriptText)})",
        _ => "set -- " + string.Join(' ', arguments.Select(BashText)),
    };

    private static string Join(IEnumerable<string> texts, Func<string, string> quote) => string.Join(", ", texts.Select(quote));

    private static string PythonText(string text) => Escaped(text, rune => $"\\U{rune.Value:x8}");

    private static string JavaScriptText(string text) => Escaped(text, rune => $"\\u{{{rune.Value:x}}}");

    private static string BashText(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static string Escaped(string text, Func<Rune, string> escape)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            quoted.Append(rune.Value is >= ' ' and <= '~' and not '"' and not '\\' ? rune.ToString() : escape(rune));
        }

        return quoted.Append('"').ToString();
    }
}
