namespace Cove.Wire;

/// <summary>
/// A text message on a terminal's WebSocket. Binary messages are bytes of the terminal, both ways. Inwards: the first is a <see cref="TerminalRequest"/>,
/// the others are <c>resize</c>. Outwards: <c>started</c> or <c>error</c> first, <c>exit</c> last.
/// </summary>
public sealed record TerminalMessage
{
    /// <summary>What it says: <c>started</c>, <c>error</c>, <c>resize</c> or <c>exit</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Of a <c>resize</c>: the columns, 1 to 1,000.</summary>
    public int? Columns { get; init; }

    /// <summary>Of a <c>resize</c>: the rows, 1 to 1,000.</summary>
    public int? Rows { get; init; }

    /// <summary>Of an <c>exit</c>: the command's exit code; absent when nobody could see it.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Of an <c>error</c>: what went wrong.</summary>
    public Problem? Problem { get; init; }
}
