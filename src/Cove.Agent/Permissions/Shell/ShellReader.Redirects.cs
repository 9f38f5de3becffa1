namespace Cove.Agent.Permissions.Shell;

/// <summary>Redirections, process substitutions and here-documents.</summary>
internal sealed partial class ShellReader
{
    /// <summary>Reads a redirection when one begins here.</summary>
    private bool TryReadRedirect(List<ShellRedirect> redirects)
    {
        var start = _at;
        while (char.IsAsciiDigit(Here))
        {
            _at++;
        }

        if (Here is not ('<' or '>') && !(Here == '&' && Next == '>' && _at == start))
        {
            _at = start;
            return false;
        }

        ReadRedirect(redirects);
        return true;
    }

    /// <summary>Reads a process substitution when one begins here: a word that nobody knows, and the commands in it.</summary>
    private ShellWord? TryReadProcess()
    {
        if (Here is not ('<' or '>') || Next != '(')
        {
            return null;
        }

        var start = _at;
        _at += 2;
        ReadNested();
        if ((start > 0 && !IsBoundary(text[start - 1])) || (!AtEnd && !IsBoundary(Here)))
        {
            Doubted("a process substitution is a part of a word");
        }

        return new ShellWord(text[start.._at], null);
    }

    private static bool IsBoundary(char c) => c is ' ' or '\t' or '\n' or ';' or '&' or '|' or '(' or ')';

    private void ReadRedirect(List<ShellRedirect> redirects)
    {
        var writes = Here != '<';
        var sign = Here == '&' ? Take("&>>") ?? Take("&>")! : Take("<<<") ?? Take("<<-") ?? Take("<<") ?? Take("<>") ?? Take("<&") ?? Take(">>") ?? Take(">&") ?? Take(">|") ?? Take("<") ?? Take(">")!;
        SkipBlanks();
        if (AtEnd || Here is ' ' or '\t' or '\n' or ';' or '&' or '|' or '(' or ')')
        {
            Doubted("a redirection leads nowhere");
            return;
        }

        if (TryReadProcess() is not null)
        {
            return;
        }

        if (Here is '<' or '>')
        {
            Doubted("a redirection leads nowhere");
            _at++;
            return;
        }

        var target = ReadWord();
        if (Here is '(' && !AtEnd)
        {
            Doubted("a parenthesis follows a word");
        }

        switch (sign)
        {
            case "<<" or "<<-":
                Expect(target, sign == "<<-");
                break;
            case "<<<":
                break; // the word was read; what it substitutes is among the commands
            case "<&" or ">&" when target.Literal is { } descriptor && descriptor.TrimEnd('-').All(char.IsAsciiDigit):
                break;
            default:
                redirects.Add(new ShellRedirect(writes || sign == "<>", target));
                break;
        }
    }

    private string? Take(string sign)
    {
        if (!text.AsSpan(_at).StartsWith(sign, StringComparison.Ordinal))
        {
            return null;
        }

        _at += sign.Length;
        return sign;
    }

    private void Expect(ShellWord delimiter, bool stripsTabs)
    {
        // Of the delimiter only quotes are removed; with a dollar sign or a pattern in it, bash and this reader may differ.
        if (delimiter.Literal is null || delimiter.Literal.Length == 0 || delimiter.Literal.Contains('\n', StringComparison.Ordinal))
        {
            Doubted("the end of a here-document is not certain");
        }

        _documents.Add((delimiter.Literal ?? delimiter.Raw, delimiter.Literal == delimiter.Raw, stripsTabs));
    }

    /// <summary>After a line's end: the bodies of the here-documents that the line began.</summary>
    private void ReadDocuments()
    {
        foreach (var (delimiter, expands, stripsTabs) in _documents.ToArray())
        {
            _documents.RemoveAt(0);
            var body = _at;
            for (var ended = false; !ended;)
            {
                if (AtEnd)
                {
                    Doubted("a here-document does not end");
                    return;
                }

                var end = text.IndexOf('\n', _at);
                end = end < 0 ? text.Length : end;
                var line = text[_at..end];
                ended = (stripsTabs ? line.TrimStart('\t') : line) == delimiter;
                if (ended && expands)
                {
                    ReadBody(text[body.._at]);
                }

                _at = Math.Min(text.Length, end + 1);
            }
        }
    }

    /// <summary>The commands in the body of a here-document, which is expanded as if it stood in double quotes.</summary>
    private void ReadBody(string body)
    {
        if (body.Contains('\\', StringComparison.Ordinal))
        {
            Doubted("it holds backslashes in a here-document");
        }

        // Its double quotes are plain characters; a quoted text has no other way to say so.
        var inner = new ShellReader("\"" + body.Replace("\"", "", StringComparison.Ordinal) + "\"", _depth + 1);
        if (body.Contains('"', StringComparison.Ordinal) && (body.Contains("$(", StringComparison.Ordinal) || body.Contains('`', StringComparison.Ordinal)))
        {
            Doubted("it holds quotes and substitutions in a here-document");
        }

        inner.ReadWord();
        Take(new ShellScript(inner.Commands, inner.AtEnd ? inner.Doubt : "a here-document is not certain"));
    }
}
