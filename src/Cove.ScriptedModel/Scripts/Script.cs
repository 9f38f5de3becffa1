using System.Text.Json.Nodes;

namespace Cove.ScriptedModel.Scripts;

/// <summary>What the model will say, as it was read from a file.</summary>
internal sealed record Script(string File, IReadOnlyList<Conversation> Conversations);

/// <summary>One conversation: the turns of the model, in order.</summary>
internal sealed record Conversation(int Line, Condition? When, IReadOnlyList<Turn> Turns)
{
    public int Labelled(string label) => Turns.TakeWhile(turn => turn.Label != label).Count();
}

/// <summary>One turn of the model. Of its branches the first whose condition holds is taken; a plain turn has one without a condition.</summary>
internal sealed record Turn(int Line, string? Label, IReadOnlyList<Branch> Branches);

/// <summary>One way a turn can go.</summary>
internal sealed record Branch
{
    public required int Line { get; init; }

    public Condition? When { get; init; }

    public Condition? Expect { get; init; }

    public IReadOnlyList<Capture> Captures { get; init; } = [];

    public required Answer Answer { get; init; }

    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>The label of the turn after this one; null: the next.</summary>
    public string? Goto { get; init; }
}

/// <summary>What the model answers.</summary>
internal sealed record Answer
{
    public string? Thinking { get; init; }

    public string? Text { get; init; }

    public IReadOnlyList<Call> Calls { get; init; } = [];

    /// <summary>Content blocks as they go over the wire, for what has no word of its own here.</summary>
    public JsonArray? Blocks { get; init; }

    public required string StopReason { get; init; }

    public string? StopSequence { get; init; }

    public JsonObject? StopDetails { get; init; }

    public JsonObject? Usage { get; init; }

    public JsonObject? Container { get; init; }

    /// <summary>Before the answer begins.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Between the events of a stream.</summary>
    public TimeSpan Pace { get; init; }

    /// <summary>How many characters a piece of a stream has at most.</summary>
    public int PieceLength { get; init; } = 24;

    /// <summary>Whether the stream has an event and a field no client knows.</summary>
    public bool UnknownEvents { get; init; }
}

/// <summary>One call of a tool.</summary>
internal sealed record Call(int Line, string Tool, JsonObject Input)
{
    /// <summary>What the script calls it, to speak of its result.</summary>
    public string? As { get; init; }

    /// <summary>The input as text, that need not be JSON; only a stream can carry it.</summary>
    public string? RawInput { get; init; }
}

/// <summary>A value taken from what came in, to be said later.</summary>
internal sealed record Capture(int Line, string Name, Source Source);

/// <summary>What goes wrong before the answer is given.</summary>
internal sealed record Fault
{
    public required FaultKind Kind { get; init; }

    /// <summary>How many tries meet it; null: all.</summary>
    public int? Times { get; init; }

    /// <summary>Where in the answer it happens.</summary>
    public FaultPlace Place { get; init; }

    public string ErrorType { get; init; } = "";

    public int Status { get; init; }

    public string Message { get; init; } = "";

    public string? ErrorCode { get; init; }

    /// <summary>The Retry-After header, as it is written.</summary>
    public string? RetryAfter { get; init; }
}

internal enum FaultKind
{
    /// <summary>An error as the API reports it.</summary>
    Error,

    /// <summary>The connection breaks.</summary>
    Drop,

    /// <summary>Nothing more comes, and the connection stays open.</summary>
    Hang,

    /// <summary>What comes is not what it says it is.</summary>
    Malformed,
}

internal enum FaultPlace
{
    BeforeHeaders,
    AfterHeaders,
    MidBlock,
    BeforeEnd,
}
