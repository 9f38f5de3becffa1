namespace Cove.Cli.Running;

/// <summary>The program that is to be run: its text, what it is called, and its language.</summary>
internal sealed record Submission(string Code, string Name, Language Language, bool Inline, IReadOnlyList<string> Arguments)
{
    /// <summary>Finds the text: <c>-c CODE</c>, a script's path, or <c>-</c> for standard input.</summary>
    public static Submission Read(string? inline, string? script, Language? language, IReadOnlyList<string> arguments)
    {
        if (inline is not null)
        {
            // As with every interpreter, what follows -c CODE belongs to the program.
            return new Submission(inline, "-c", language ?? Language.Python, Inline: true, script is null ? arguments : [script, .. arguments]);
        }

        switch (script)
        {
            case null:
                throw Errors.Usage("nothing_to_run", "There is nothing to run.", "Give a script, or -c CODE, or - to read from standard input; cove run --help shows all.");
            case "-":
                return new Submission(Console.In.ReadToEnd(), "-", language ?? Language.Python, Inline: false, arguments);
            default:
                var known = language ?? Languages.OfFile(script)
                    ?? throw Errors.Usage("unknown_language", $"The language of '{script}' can't be told from its name.", "Name it: --language python, bash or javascript.");
                return new Submission(ReadScript(script), Path.GetFileName(script), known, Inline: false, arguments);
        }
    }

    /// <summary>Whether the program must be told its name and arguments.</summary>
    public bool NeedsArguments => Arguments.Count > 0 || (!Inline && Language is not Language.Bash);

    private static string ReadScript(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Errors.Usage("script_unreadable", $"The script can't be read: {failure.Message}", "Check its path; cove run -c CODE runs code from the command line.");
        }
    }
}
