namespace Cove.Cli.Shell;

/// <summary>One line being edited: text and cursor, no terminal.</summary>
internal sealed class EditBuffer
{
    private string _killed = "";

    public string Text { get; private set; } = "";

    public int Cursor { get; private set; }

    public void Set(string text) => (Text, Cursor) = (text, text.Length);

    public void Insert(string text)
    {
        Text = Text.Insert(Cursor, text);
        Cursor += text.Length;
    }

    public void Left() => Cursor = Before(Cursor);

    public void Right() => Cursor = After(Cursor);

    public void Home() => Cursor = 0;

    public void End() => Cursor = Text.Length;

    public void WordLeft() => Cursor = WordStart();

    public void WordRight()
    {
        while (Cursor < Text.Length && !char.IsLetterOrDigit(Text[Cursor]))
        {
            Cursor++;
        }

        while (Cursor < Text.Length && char.IsLetterOrDigit(Text[Cursor]))
        {
            Cursor++;
        }
    }

    public void Backspace() => Remove(Before(Cursor), Cursor);

    public void Delete() => Remove(Cursor, After(Cursor));

    public void KillToEnd() => Kill(Cursor, Text.Length);

    public void KillToStart() => Kill(0, Cursor);

    public void KillWord() => Kill(WordStart(), Cursor);

    public void Yank() => Insert(_killed);

    private void Kill(int from, int to)
    {
        if (to > from)
        {
            _killed = Text[from..to];
            Remove(from, to);
        }
    }

    private void Remove(int from, int to)
    {
        Text = Text.Remove(from, to - from);
        Cursor = from;
    }

    private int WordStart()
    {
        var at = Cursor;
        while (at > 0 && !char.IsLetterOrDigit(Text[at - 1]))
        {
            at--;
        }

        while (at > 0 && char.IsLetterOrDigit(Text[at - 1]))
        {
            at--;
        }

        return at;
    }

    // A character outside the basic plane is two chars; the cursor never stands between them.
    private int Before(int at) => at == 0 ? 0 : at > 1 && char.IsLowSurrogate(Text[at - 1]) ? at - 2 : at - 1;

    private int After(int at) => at >= Text.Length ? at : at + 1 < Text.Length && char.IsHighSurrogate(Text[at]) ? at + 2 : at + 1;
}
