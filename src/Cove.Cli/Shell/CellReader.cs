using System.Text;

namespace Cove.Cli.Shell;

/// <summary>Reads whole cells, from the terminal or from a pipe.</summary>
internal sealed class CellReader(Language language, History history, TextReader? piped)
{
    private readonly LineEditor _editor = new(history);
    private readonly Queue<string> _ahead = new();

    /// <summary>The next cell; empty when it was cancelled, null at the end of the input.</summary>
    public string? Read()
    {
        var cell = new StringBuilder();
        while (true)
        {
            var (end, line) = piped is null ? _editor.Read(Prompt(cell.Length > 0)) : Next();
            if (end is not LineEnd.Entered)
            {
                // A pipe that ends in the middle of a cell ends it; Ctrl-D in the middle of one at the terminal does, too.
                return end is LineEnd.Cancelled ? "" : cell.Length > 0 ? cell.ToString() : null;
            }

            // The first line stands alone; an empty line after it appears as a text that ends in a line break.
            cell.Append(cell.Length > 0 ? "\n" : "").Append(line);
            if (Completeness.IsComplete(language, cell.ToString()) && !(piped is not null && BlockGoesOn(cell)))
            {
                return cell.ToString().TrimEnd('\n');
            }
        }
    }

    /// <summary>In a script an empty line may stand within a block: what follows decides.</summary>
    private bool BlockGoesOn(StringBuilder cell)
    {
        if (cell.Length == 0 || cell[^1] != '\n' || cell.ToString().Trim().Length == 0)
        {
            return false;
        }

        while (_ahead.All(string.IsNullOrWhiteSpace) && piped!.ReadLine() is { } line)
        {
            _ahead.Enqueue(line);
        }

        return _ahead.FirstOrDefault(line => !string.IsNullOrWhiteSpace(line)) is { } following && Completeness.Continues(language, following);
    }

    private (LineEnd, string) Next()
    {
        var line = _ahead.Count > 0 ? _ahead.Dequeue() : piped!.ReadLine();
        return line is null ? (LineEnd.EndOfInput, "") : (LineEnd.Entered, line);
    }

    private string Prompt(bool more) => (language, more) switch
    {
        (Language.Python, false) => ">>> ",
        (Language.Bash, false) => "$ ",
        (Language.Bash, true) => "> ",
        (_, false) => "> ",
        _ => "... ",
    };
}
