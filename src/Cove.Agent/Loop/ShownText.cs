using System.Text;

namespace Cove.Agent.Loop;

/// <summary>
/// What was already shown of a turn's text. When a stream breaks off and the model is asked again, the same text is not shown twice: only what goes beyond it, or,
/// when the model now says something else, a word that the old text no longer counts.
/// </summary>
internal sealed class ShownText(Action<AgentEvent> show)
{
    private readonly StringBuilder _shown = new();
    private StringBuilder? _again;

    /// <summary>The model starts over.</summary>
    public void StartOver() => _again = _shown.Length > 0 ? new StringBuilder() : null;

    public void Add(string piece)
    {
        if (piece.Length == 0)
        {
            return;
        }

        if (_again is null)
        {
            _shown.Append(piece);
            show(new TextWritten(piece));
            return;
        }

        _again.Append(piece);
        var common = Math.Min(_again.Length, _shown.Length);
        if (!_shown.ToString(0, common).Equals(_again.ToString(0, common), StringComparison.Ordinal))
        {
            Replace();
        }
        else if (_again.Length > _shown.Length)
        {
            var more = _again.ToString(_shown.Length, _again.Length - _shown.Length);
            _again = null;
            Add(more);
        }
    }

    /// <summary>The turn is finished. A repetition that ended before the old text did is not the old text.</summary>
    public void Finish()
    {
        if (_again is not null && _again.Length < _shown.Length)
        {
            Replace();
        }
    }

    private void Replace()
    {
        var text = _again!.ToString();
        _again = null;
        _shown.Clear();
        show(new TextWithdrawn());
        Add(text);
    }
}
