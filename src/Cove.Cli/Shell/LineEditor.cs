using System.Globalization;
using System.Text;

namespace Cove.Cli.Shell;

/// <summary>What reading a line ended with.</summary>
internal enum LineEnd
{
    Entered,
    Cancelled,
    EndOfInput,
}

/// <summary>Reads one line from the terminal with the usual keys. A line longer than the terminal is wide scrolls sideways.</summary>
internal sealed class LineEditor(History history)
{
    /// <summary>Stands for the line breaks of a recalled cell while it is edited on one line.</summary>
    private const char LineBreak = '\u23ce';

    public (LineEnd End, string Text) Read(string prompt)
    {
        var buffer = new EditBuffer();
        var entries = history.Entries.Select(entry => entry.Replace('\n', LineBreak)).ToList();
        var at = entries.Count;
        var draft = "";
        Console.TreatControlCAsInput = true;
        try
        {
            while (true)
            {
                Draw(prompt, buffer.Text, buffer.Cursor);
                var key = Console.ReadKey(intercept: true);
                var control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
                switch (key.Key)
                {
                    case ConsoleKey.Enter:
                    case ConsoleKey.J when control:
                        buffer.End();
                        Draw(prompt, buffer.Text, buffer.Cursor);
                        Console.Out.Write("\r\n");
                        return (LineEnd.Entered, buffer.Text.Replace(LineBreak, '\n'));
                    case ConsoleKey.C when control:
                        Console.Out.Write("^C\r\n");
                        return (LineEnd.Cancelled, "");
                    case ConsoleKey.D when control && buffer.Text.Length == 0:
                        Console.Out.Write("\r\n");
                        return (LineEnd.EndOfInput, "");
                    case ConsoleKey.R when control:
                        if (Search(entries) is { } found)
                        {
                            buffer.Set(found);
                        }

                        break;
                    case ConsoleKey.UpArrow or ConsoleKey.DownArrow:
                    case ConsoleKey.P or ConsoleKey.N when control:
                        var older = key.Key is ConsoleKey.UpArrow or ConsoleKey.P;
                        draft = at == entries.Count ? buffer.Text : draft;
                        at = Math.Clamp(at + (older ? -1 : 1), 0, entries.Count);
                        buffer.Set(at == entries.Count ? draft : entries[at]);
                        break;
                    default:
                        Edit(buffer, key, control);
                        break;
                }
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    private static void Edit(EditBuffer buffer, ConsoleKeyInfo key, bool control)
    {
        var alt = key.Modifiers.HasFlag(ConsoleModifiers.Alt);
        Action edit = key.Key switch
        {
            ConsoleKey.LeftArrow when control || alt => buffer.WordLeft,
            ConsoleKey.RightArrow when control || alt => buffer.WordRight,
            ConsoleKey.LeftArrow => buffer.Left,
            ConsoleKey.RightArrow => buffer.Right,
            ConsoleKey.Home => buffer.Home,
            ConsoleKey.End => buffer.End,
            ConsoleKey.Backspace => buffer.Backspace,
            ConsoleKey.Delete => buffer.Delete,
            ConsoleKey.Tab => () => buffer.Insert("    "),
            ConsoleKey.A when control => buffer.Home,
            ConsoleKey.E when control => buffer.End,
            ConsoleKey.B when control => buffer.Left,
            ConsoleKey.F when control => buffer.Right,
            ConsoleKey.D when control => buffer.Delete,
            ConsoleKey.H when control => buffer.Backspace,
            ConsoleKey.K when control => buffer.KillToEnd,
            ConsoleKey.U when control => buffer.KillToStart,
            ConsoleKey.W when control => buffer.KillWord,
            ConsoleKey.Y when control => buffer.Yank,
            _ when key.KeyChar != '\0' && !char.IsControl(key.KeyChar) => () => buffer.Insert(key.KeyChar.ToString()),
            _ => static () => { },
        };
        edit();
    }

    /// <summary>Ctrl-R: the latest entry that contains what is typed; Ctrl-R again for an older one.</summary>
    private static string? Search(List<string> entries)
    {
        var wanted = "";
        var from = entries.Count - 1;
        while (true)
        {
            var at = from < 0 ? -1 : entries.FindLastIndex(from, entry => entry.Contains(wanted, StringComparison.Ordinal));
            var found = at < 0 ? "" : entries[at];
            Draw($"(search '{wanted}') ", found, found.Length);
            var key = Console.ReadKey(intercept: true);
            var control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            switch (key.Key)
            {
                case ConsoleKey.R when control:
                    from = at > 0 ? at - 1 : from;
                    break;
                case ConsoleKey.Backspace:
                    (wanted, from) = (wanted.Length > 0 ? wanted[..^1] : "", entries.Count - 1);
                    break;
                case ConsoleKey.C or ConsoleKey.G when control:
                case ConsoleKey.Escape:
                    return null;
                default:
                    if (key.KeyChar == '\0' || char.IsControl(key.KeyChar))
                    {
                        return found;
                    }

                    wanted += key.KeyChar;
                    break;
            }
        }
    }

    private static void Draw(string prompt, string text, int cursor)
    {
        var room = Math.Max(10, WindowWidth() - prompt.Length - 1);
        var start = 0;
        while (Width(text.AsSpan(start, cursor - start)) > room)
        {
            start++;
        }

        var shown = new StringBuilder();
        var width = 0;
        foreach (var rune in text.AsSpan(start).EnumerateRunes())
        {
            width += Width(rune);
            if (width > room)
            {
                break;
            }

            shown.Append(rune.ToString());
        }

        var column = prompt.Length + Width(text.AsSpan(start, cursor - start));
        Console.Out.Write($"\r{prompt}{shown}\x1b[K\r\x1b[{column}C");
    }

    private static int WindowWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }

    private static int Width(ReadOnlySpan<char> text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            width += Width(rune);
        }

        return width;
    }

    /// <summary>Columns a character takes: none for combining ones, two for East Asian wide ones and emoji.</summary>
    private static int Width(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format ? 0
        : rune.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xF900 and <= 0xFAFF)
            or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0x1F300 and <= 0x1FAFF) or (>= 0x20000 and <= 0x3FFFD) ? 2
        : 1;
}
