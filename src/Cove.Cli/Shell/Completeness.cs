namespace Cove.Cli.Shell;

/// <summary>
/// Whether what was typed so far is a whole cell. A guess by brackets, quotes and blocks, not a parser: what it wrongly thinks unfinished is sent
/// by two empty lines, what it wrongly thinks finished comes back as the interpreter's own error.
/// </summary>
internal static class Completeness
{
    public static bool IsComplete(Language language, string text)
    {
        if (text.Trim().Length == 0 || text.EndsWith("\n\n", StringComparison.Ordinal) || text.TrimStart().StartsWith(':'))
        {
            return true;
        }

        return language switch
        {
            Language.Bash => BashCompleteness.IsComplete(text),
            Language.JavaScript => Scan(text, python: false) is { Open: false },
            _ => IsCompletePython(text),
        };
    }

    /// <summary>Whether a line of a script that follows an empty one still belongs to the block before it.</summary>
    public static bool Continues(Language language, string line) =>
        language is Language.Python
        && (line is [' ' or '\t', ..] || Keywords.Any(word => line.StartsWith(word, StringComparison.Ordinal) && (line.Length == word.Length || !char.IsLetterOrDigit(line[word.Length]))));

    private static readonly string[] Keywords = ["else", "elif", "except", "finally"];

    private static bool IsCompletePython(string text)
    {
        var scan = Scan(text, python: true);
        if (scan.Open)
        {
            return false;
        }

        // A block is finished by an empty line; a decorator wants what it decorates.
        return !scan.OpensBlock || text.EndsWith('\n');
    }

    /// <summary>Looks for what is still open at the end: brackets, quotes, comments, a backslash; and whether a line opened a block.</summary>
    private static (bool Open, bool OpensBlock) Scan(string text, bool python)
    {
        var depth = 0;
        var opensBlock = false;
        var last = '\0';     // the last character of the current line that is neither blank nor comment
        var lineStart = true;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\n')
            {
                opensBlock |= python && depth == 0 && last == ':';
                (last, lineStart) = ('\0', true);
                continue;
            }

            if (char.IsWhiteSpace(c))
            {
                continue;
            }

            opensBlock |= python && lineStart && depth == 0 && c == '@';
            lineStart = false;
            if (python ? c == '#' : c == '/' && text.AsSpan(i).StartsWith("//"))
            {
                i = LineEnd(text, i) - 1;
                continue;
            }

            if (!python && text.AsSpan(i).StartsWith("/*"))
            {
                var end = text.IndexOf("*/", i + 2, StringComparison.Ordinal);
                if (end < 0)
                {
                    return (true, opensBlock);
                }

                i = end + 1;
                continue;
            }

            last = c;
            if (c is '"' or '\'' || (!python && c == '`'))
            {
                var end = QuoteEnd(text, i, python);
                if (end < 0)
                {
                    return (true, opensBlock);
                }

                i = end;
            }
            else if (c == '\\' && i + 1 == text.Length)
            {
                return (true, opensBlock);
            }
            else
            {
                depth += c is '(' or '[' or '{' ? 1 : c is ')' or ']' or '}' ? -1 : 0;
            }
        }

        opensBlock |= python && depth == 0 && last == ':';
        return (depth > 0, opensBlock);
    }

    private static int LineEnd(string text, int from) => text.IndexOf('\n', from) is var end && end < 0 ? text.Length : end;

    /// <summary>Where a quote that opens at a place closes. A quote that its own line should have closed but didn't is the interpreter's to complain about.</summary>
    private static int QuoteEnd(string text, int start, bool python)
    {
        var quote = text[start];
        var triple = python && start + 2 < text.Length && text[start + 1] == quote && text[start + 2] == quote;
        var multiLine = triple || quote == '`';
        for (var i = start + (triple ? 3 : 1); i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '\n' && !multiLine)
            {
                return i - 1;
            }
            else if (text[i] == quote && (!triple || (i + 2 < text.Length && text[i + 1] == quote && text[i + 2] == quote)))
            {
                return triple ? i + 2 : i;
            }
        }

        return multiLine ? -1 : text.Length - 1;
    }
}
