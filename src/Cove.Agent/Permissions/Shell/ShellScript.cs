namespace Cove.Agent.Permissions.Shell;

/// <summary>A word of a command: how it is spelt, and what it is when nothing is expanded in it.</summary>
/// <param name="Raw">Its spelling in the source, line continuations left out.</param>
/// <param name="Literal">What bash makes of it; null when that depends on variables, files, or a command.</param>
internal sealed record ShellWord(string Raw, string? Literal);

/// <summary>A redirection to or from a file.</summary>
/// <param name="Writes">Whether the file may be written.</param>
/// <param name="Target">The file.</param>
internal sealed record ShellRedirect(bool Writes, ShellWord Target);

/// <summary>One simple command: what bash starts with one name.</summary>
internal sealed record ShellCommand
{
    /// <summary>Stands for arguments that nobody can see here; a text that holds it is not parsed with certainty.</summary>
    public const char Unseen = '\uFFFF';

    /// <summary>The assignments before its name, as <c>NAME=value</c>.</summary>
    public IReadOnlyList<ShellWord> Assignments { get; init; } = [];

    /// <summary>Its name and arguments; empty for assignments or redirections alone.</summary>
    public required IReadOnlyList<ShellWord> Words { get; init; }

    /// <summary>The files it is redirected to or from.</summary>
    public IReadOnlyList<ShellRedirect> Redirects { get; init; } = [];

    /// <summary>Whether further arguments are added that nobody can see here, as <c>xargs</c> does.</summary>
    public bool IsOpenEnded { get; init; }

    /// <summary>Its name; null when there is none, or when it is not certain.</summary>
    public string? Name => Words.Count == 0 ? null : Words[0].Literal;

    /// <summary>The source, one blank between words.</summary>
    public string Raw => Text(Words.Select(w => w.Raw));

    /// <summary>The same with the assignments before it.</summary>
    public string Full => Text(Assignments.Concat(Words).Select(w => w.Raw));

    /// <summary>The same without quotes, but around words that need them, so that no word poses as two; null when a word depends on what is not known.</summary>
    public string? Plain => Words.Any(w => w.Literal is null) ? null
        : Text(Words.Select(w => w.Literal!.Length > 0 && w.Literal.All(IsPlain) ? w.Literal : $"'{w.Literal}'"));

    /// <summary>The same without quotes at all, the name without its directory, what is not known as it is spelt: for rules that forbid.</summary>
    public string Loose => Text(Words.Select((w, i) => i > 0 ? w.Literal ?? w.Raw : (w.Literal ?? w.Raw)[((w.Literal ?? w.Raw).LastIndexOf('/') + 1)..]));

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '@' or '%' or '+' or '=' or ':' or ',' or '.' or '/' or '-';

    private string Text(IEnumerable<string> words) => string.Join(' ', words) + (IsOpenEnded ? $" {Unseen}" : "");
}

/// <summary>What a text is to bash, as far as this parser is sure of it.</summary>
/// <param name="Commands">Every simple command it can start: those in pipes, lists, groups, substitutions and here-documents included.</param>
/// <param name="Doubt">What it cannot say with certainty; null when it can say everything. With a doubt the commands are a guess.</param>
internal sealed record ShellScript(IReadOnlyList<ShellCommand> Commands, string? Doubt)
{
    private const int MaxLength = 10_000;

    /// <summary>Reads a text as bash does.</summary>
    public static ShellScript Parse(string text, int depth = 0)
    {
        if (text.Length > MaxLength)
        {
            return new ShellScript([], $"it is longer than {MaxLength:N0} characters");
        }

        var reader = new ShellReader(text, depth);
        reader.ReadAll();
        return new ShellScript(reader.Commands, reader.Doubt);
    }
}
