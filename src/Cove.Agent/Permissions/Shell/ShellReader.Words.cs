using System.Text;
using System.Text.RegularExpressions;

namespace Cove.Agent.Permissions.Shell;

/// <summary>Words: quotes, escapes and expansions.</summary>
internal sealed partial class ShellReader
{
    /// <summary>Reads one word; it takes at least one character.</summary>
    private ShellWord ReadWord()
    {
        var raw = new StringBuilder();
        var plain = new StringBuilder();
        var isLiteral = true;
        var brace = false;
        while (!AtEnd && !(Here is ' ' or '\t' or '\n' or ';' or '&' or '|' or '(' or ')' or '<' or '>'))
        {
            var start = _at;
            switch (Here)
            {
                case '\\' when Next == '\n':
                    _at += 2;
                    continue;
                case '\\':
                    plain.Append(Next);
                    isLiteral &= _at + 1 < text.Length;
                    _at = Math.Min(text.Length, _at + 2);
                    break;
                case '\'':
                    ReadSingleQuoted(plain);
                    break;
                case '"':
                    _at++;
                    isLiteral &= ReadDoubleQuoted(plain);
                    break;
                case '$':
                    ReadDollar(quoted: false);
                    isLiteral = false;
                    break;
                case '`':
                    ReadBackticks(quoted: false);
                    isLiteral = false;
                    break;
                default:
                    brace |= Here == '{';
                    isLiteral &= Here is not ('*' or '?' or '[') && !(Here == '~' && raw.Length == 0) && !(brace && (Here == ',' || (Here == '.' && Next == '.')));
                    plain.Append(Here);
                    _at++;
                    break;
            }

            raw.Append(text, start, _at - start);
        }

        if (Here is '<' or '>' && !AtEnd && raw.Length > 1 && raw[0] == '{' && raw[^1] == '}')
        {
            Doubted("a redirection names a variable");
        }

        return new ShellWord(raw.ToString(), isLiteral ? plain.ToString() : null);
    }

    private void ReadSingleQuoted(StringBuilder plain)
    {
        var end = text.IndexOf('\'', _at + 1);
        if (end < 0)
        {
            Doubted("a quote is not closed");
            end = text.Length - 1;
        }

        plain.Append(text.AsSpan(Math.Min(_at + 1, end), Math.Max(0, end - _at - 1)));
        _at = end + 1;
    }

    /// <summary>After the opening quote, up to and with the closing one; false when something is expanded in it.</summary>
    private bool ReadDoubleQuoted(StringBuilder plain)
    {
        var isLiteral = true;
        while (!AtEnd && Here != '"')
        {
            switch (Here)
            {
                case '\\' when Next == '\n':
                    _at += 2;
                    break;
                case '\\' when Next is '$' or '`' or '"' or '\\':
                    plain.Append(Next);
                    _at += 2;
                    break;
                case '$' when Next is not ('"' or '\'' or ' ' or '\0'):
                    ReadDollar(quoted: true);
                    isLiteral = false;
                    break;
                case '`':
                    ReadBackticks(quoted: true);
                    isLiteral = false;
                    break;
                default:
                    plain.Append(Here);
                    _at++;
                    break;
            }
        }

        if (AtEnd)
        {
            Doubted("a quote is not closed");
        }

        _at = Math.Min(text.Length, _at + 1);
        return isLiteral;
    }

    private void ReadDollar(bool quoted)
    {
        if (text.AsSpan(_at).StartsWith("$\\\n", StringComparison.Ordinal))
        {
            Doubted("a line is continued behind a dollar sign"); // bash joins the lines before it looks at what follows
        }

        if (Next == '(')
        {
            if (Arithmetic().Match(text, _at) is { Success: true } sum)
            {
                _at += sum.Length;
                return;
            }

            if (_at + 2 < text.Length && text[_at + 2] == '(')
            {
                Doubted("it holds arithmetic beyond plain numbers");
            }

            _at += 2;
            ReadNested();
            return;
        }

        if (Next == '{')
        {
            ReadBraced();
            return;
        }

        if (!quoted && Next == '\'')
        {
            _at += 2;
            ReadAnsiQuoted();
            return;
        }

        if (!quoted && Next == '"')
        {
            _at += 2;
            ReadDoubleQuoted(new StringBuilder());
            return;
        }

        if (Next == '[')
        {
            Doubted("it holds arithmetic beyond plain numbers");
        }

        _at++;
        if (Variable().Match(text, _at) is { Success: true } name)
        {
            _at += name.Length;
        }
    }

    private void ReadBraced()
    {
        if (Braced().Match(text, _at) is { Success: true } simple)
        {
            _at += simple.Length;
            return;
        }

        // ${x@P}, ${!x}, ${a[i]} and nested words can run commands; where they end is another question with as many answers.
        Doubted("it holds an expansion in braces beyond ${name}");
        _at += 2;
    }

    private void ReadAnsiQuoted()
    {
        while (!AtEnd && Here != '\'')
        {
            _at += Here == '\\' ? 2 : 1;
        }

        if (_at >= text.Length)
        {
            Doubted("a quote is not closed");
        }

        _at = Math.Min(text.Length, _at + 1);
    }

    /// <summary>The commands of a substitution, after its opening parenthesis.</summary>
    private void ReadNested()
    {
        var outer = _documents.ToArray();
        _documents.Clear();
        ReadList(closes: true);
        if (_documents.Count > 0)
        {
            Doubted("a here-document does not end in its substitution");
            _documents.Clear();
        }

        _documents.AddRange(outer);
    }

    private void ReadBackticks(bool quoted)
    {
        var inside = new StringBuilder();
        _at++;
        while (!AtEnd && Here != '`')
        {
            if (Here == '\\' && Next != '\0')
            {
                // What a backslash takes away here depends on the quotes around; the commands are still looked at.
                Doubted("it holds backslashes in backticks");
                _at++;
            }

            inside.Append(Here);
            _at++;
        }

        if (AtEnd)
        {
            Doubted("a backtick is not closed");
        }

        if (quoted && inside.ToString().Contains('"', StringComparison.Ordinal))
        {
            Doubted("it holds quotes in quoted backticks");
        }

        _at = Math.Min(text.Length, _at + 1);
        Take(ShellScript.Parse(inside.ToString(), _depth + 1));
    }

    /// <summary>Makes the commands of another text part of this one.</summary>
    private void Take(ShellScript inner)
    {
        Commands.AddRange(inner.Commands);
        if (inner.Doubt is not null)
        {
            Doubted(inner.Doubt);
        }
    }

    [GeneratedRegex(@"\G\$\(\([0-9 +\-*/%<>=!]{1,100}\)\)", RegexOptions.None, 1000)]
    private static partial Regex Arithmetic();

    [GeneratedRegex(@"\G\$\{#?([A-Za-z_][A-Za-z0-9_]{0,99}|[0-9@*?#$-])((:?[-+])[A-Za-z0-9_./-]{0,100})?\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Braced();

    [GeneratedRegex(@"\G([A-Za-z_][A-Za-z0-9_]*|[0-9@*?#$!-])", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Variable();
}
