namespace Cove.Cli.Shell;

/// <summary>Whether a piece of bash is finished: quotes closed, blocks ended, here-documents terminated, no backslash at the end.</summary>
internal static class BashCompleteness
{
    private static readonly HashSet<string> Opening = ["if", "do", "case", "{"];
    private static readonly HashSet<string> Closing = ["fi", "done", "esac", "}"];

    public static bool IsComplete(string text)
    {
        var depth = 0;
        var word = new System.Text.StringBuilder();
        var atCommand = true;
        var pendingDo = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            var c = i < text.Length ? text[i] : '\n';
            switch (c)
            {
                case '\\' when i + 1 >= text.Length:
                    return false;
                case '\\':
                    i++;
                    word.Append('x');
                    continue;
                case '\'' or '"':
                    var end = QuoteEnd(text, i);
                    if (end < 0)
                    {
                        return false;
                    }

                    i = end;
                    word.Append('x');
                    continue;
                case '#' when word.Length == 0:
                    i = text.IndexOf('\n', i) is var lineEnd && lineEnd < 0 ? text.Length : lineEnd;
                    continue;
                case '<' when text.AsSpan(i).StartsWith("<<") && !text.AsSpan(i).StartsWith("<<<"):
                    if (HereDocumentEnd(text, i) is not { } after)
                    {
                        return false;
                    }

                    i = after;
                    continue;
                case not (' ' or '\t' or '\n' or ';' or '&' or '|' or '(' or ')'):
                    word.Append(c);
                    continue;
            }

            Count(word.ToString(), ref depth, ref pendingDo, ref atCommand);
            atCommand |= c is '\n' or ';' or '&' or '|' or '(' or ')';
            word.Clear();
        }

        var last = text.TrimEnd(' ', '\t', '\n');
        return depth <= 0 && pendingDo <= 0 && !last.EndsWith("&&", StringComparison.Ordinal) && !last.EndsWith('|');
    }

    private static void Count(string word, ref int depth, ref int pendingDo, ref bool atCommand)
    {
        if (word.Length == 0)
        {
            return;
        }

        if (atCommand)
        {
            depth += Opening.Contains(word) ? 1 : Closing.Contains(word) ? -1 : 0;
            pendingDo += word is "while" or "until" or "for" or "select" ? 1 : word == "do" ? -1 : 0;
        }
        else if (word == "do")
        {
            (depth, pendingDo) = (depth + 1, pendingDo - 1);
        }
        else if (word.EndsWith('{') && !word.Contains('}', StringComparison.Ordinal) && !word.Contains('$', StringComparison.Ordinal))
        {
            depth++; // the body of a function: name() {
        }

        // After these words another command follows at once.
        atCommand = word is "then" or "do" or "else" or "elif" or "if" or "while" or "until" or "{" or "!" or "time";
    }

    private static int QuoteEnd(string text, int start)
    {
        for (var i = start + 1; i < text.Length; i++)
        {
            if (text[i] == '\\' && text[start] == '"')
            {
                i++;
            }
            else if (text[i] == text[start])
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The last character of a here-document whose operator is at a place; null while its end is missing.</summary>
    private static int? HereDocumentEnd(string text, int start)
    {
        var i = start + 2;
        var tabs = i < text.Length && text[i] == '-';
        var delimiter = text[(tabs ? i + 1 : i)..].TrimStart(' ').Split([' ', '\n', ';', '|', '&', ')'], 2)[0].Trim('\'', '"');
        var line = text.IndexOf('\n', start);
        while (delimiter.Length > 0 && line >= 0)
        {
            var next = text.IndexOf('\n', line + 1);
            var content = next < 0 ? text[(line + 1)..] : text[(line + 1)..next];
            if ((tabs ? content.TrimStart('\t') : content) == delimiter)
            {
                return next < 0 ? text.Length : next - 1;
            }

            line = next;
        }

        return null;
    }
}
