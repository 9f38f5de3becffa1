namespace Cove.Agent.Permissions.Shell;

/// <summary>
/// Reads bash as far as is needed to know every command a text can start. It understands lists, pipes, groups, subshells, the simple keywords, quotes,
/// substitutions and here-documents; whatever else it meets is a doubt, and a doubt is never allowed by a pattern. Wrong guesses must fall on that side.
/// </summary>
internal sealed partial class ShellReader(string text, int depth)
{
    private const int MaxDepth = 20;

    private readonly List<(string Delimiter, bool Expands, bool StripsTabs)> _documents = [];
    private int _at;
    private int _depth = depth;

    public List<ShellCommand> Commands { get; } = [];

    /// <summary>The first thing that was not certain.</summary>
    public string? Doubt { get; private set; }

    private bool AtEnd => _at >= text.Length;

    private char Here => _at < text.Length ? text[_at] : '\0';

    private char Next => _at + 1 < text.Length ? text[_at + 1] : '\0';

    public void ReadAll()
    {
        foreach (var c in text)
        {
            if ((char.IsControl(c) && c is not ('\t' or '\n')) || (c > '\x7f' && (char.IsWhiteSpace(c) || c == ShellCommand.Unseen)))
            {
                // What bash makes of them depends on the locale.
                Doubted("it holds control characters, or blanks of other alphabets");
                break;
            }
        }

        ReadList(closes: false);
        if (_documents.Count > 0)
        {
            Doubted("a here-document does not end");
        }
    }

    private void Doubted(string why) => Doubt ??= why;

    /// <summary>Reads commands up to the end, or to the parenthesis that closes them (which is taken).</summary>
    private void ReadList(bool closes)
    {
        if (++_depth > MaxDepth)
        {
            Doubted("it is nested too deeply");
            _at = text.Length;
        }

        while (SkippedToMore())
        {
            if (Here == ')')
            {
                _at++;
                if (closes)
                {
                    _depth--;
                    return;
                }

                Doubted("a parenthesis closes that none opened");
            }
            else if (Here is ';' or '&' or '|' or '\n')
            {
                ReadOperator();
            }
            else
            {
                ReadCommand();
            }
        }

        if (closes)
        {
            Doubted("a parenthesis is not closed");
        }

        _depth--;
    }

    private void ReadOperator()
    {
        if (Here == '\n')
        {
            _at++;
            ReadDocuments();
        }
        else if (Here == ';' && Next is ';' or '&')
        {
            Doubted("it holds ';;' or ';&'");
            _at += 2;
        }
        else if (Here == '&' && Next == '>')
        {
            ReadCommand(); // a redirection that begins a command
        }
        else
        {
            _at += (Here, Next) is ('&', '&') or ('|', '|') or ('|', '&') ? 2 : 1;
        }
    }

    private void ReadCommand()
    {
        if (Here == '(')
        {
            if (Next == '(')
            {
                Doubted("it holds arithmetic in double parentheses");
            }

            _at++;
            ReadList(closes: true);
            ReadTail();
            return;
        }

        List<ShellWord> assignments = [];
        List<ShellWord> words = [];
        List<ShellRedirect> redirects = [];
        var before = _at;
        while (SkippedToMore() && !IsOperator())
        {
            if (TryReadProcess() is { } process)
            {
                words.Add(process);
                continue;
            }

            if (TryReadRedirect(redirects))
            {
                continue;
            }

            var word = ReadWord();
            if (words.Count == 0 && IsAssignment(word))
            {
                assignments.Add(word);
            }
            else if (words.Count == 0 && assignments.Count == 0 && redirects.Count == 0 && TakesKeyword(word))
            {
                return;
            }
            else
            {
                words.Add(word);
            }
        }

        if (Here == '(' && !AtEnd)
        {
            Doubted("a parenthesis follows a word: a function, an array or an extended pattern");
            _at++;
        }

        if (words.Count + assignments.Count + redirects.Count > 0)
        {
            Commands.Add(new ShellCommand { Assignments = assignments, Words = words, Redirects = redirects });
        }
        else if (_at == before)
        {
            _at++; // an operator that begins no command: bash refuses the whole
            Doubted("it is no sentence of bash");
        }
    }

    private bool IsOperator() => Here is ';' or '&' or '|' or '\n' or ')' or '(' && !(Here == '&' && Next == '>');

    /// <summary>Skips blanks, continuations and comments; whether anything follows.</summary>
    private bool SkippedToMore()
    {
        SkipBlanks();
        return !AtEnd;
    }

    private void SkipBlanks()
    {
        while (!AtEnd)
        {
            if (Here is ' ' or '\t')
            {
                _at++;
            }
            else if (Here == '\\' && Next == '\n')
            {
                _at += 2;
            }
            else if (Here == '#')
            {
                var end = text.IndexOf('\n', _at);
                _at = end < 0 ? text.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private static bool IsAssignment(ShellWord word)
    {
        var equals = word.Raw.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && IsName(word.Raw[equals - 1] == '+' ? word.Raw[..(equals - 1)] : word.Raw[..equals]);
    }

    private static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
