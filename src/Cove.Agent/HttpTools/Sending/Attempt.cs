namespace Cove.Agent.HttpTools.Sending;

/// <summary>What came of one try.</summary>
internal enum AttemptKind
{
    /// <summary>There is an answer, whatever it says.</summary>
    Answered,

    /// <summary>No connection came about: nothing was sent.</summary>
    NotConnected,

    /// <summary>The connection broke, or what came was no HTTP: it may have been done.</summary>
    Broken,

    /// <summary>The host is at an address that is not allowed.</summary>
    AddressRefused,

    /// <summary>The answer is larger than is read.</summary>
    TooLarge,
}

/// <summary>One try.</summary>
internal sealed record Attempt(AttemptKind Kind)
{
    public int Status { get; init; }

    /// <summary>How long the other side asks to wait; null when it does not.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Whether it says that too much was asked of it.</summary>
    public bool IsRateLimited { get; init; }

    public byte[] Body { get; init; } = [];

    public string? MediaType { get; init; }

    public string? Charset { get; init; }

    /// <summary>Why there is no answer, in a few words that hold nothing of the request.</summary>
    public string Detail { get; init; } = "";
}

/// <summary>One call, through all its tries.</summary>
internal sealed class CallState(RequestPlan plan, long started)
{
    public RequestPlan Plan => plan;

    public long Started => started;

    public int Tries { get; set; }

    /// <summary>Whether the try at hand had begun to send: until then, the other side can't have done anything.</summary>
    public bool HasSent { get; set; }
}
