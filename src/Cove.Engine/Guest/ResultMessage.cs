namespace Cove.Engine.Guest;

/// <summary>What a frame on a run's result pipe came to. The set is closed.</summary>
internal abstract record ResultMessage
{
    /// <summary>Nothing for the caller (a piece of a value, or what was over a budget and said so already).</summary>
    public sealed record Nothing : ResultMessage
    {
        public static Nothing Instance { get; } = new();
    }

    public sealed record Display(bool IsResult, IReadOnlyDictionary<string, string> Data) : ResultMessage;

    public sealed record Notice(string Code, string Message) : ResultMessage;

    /// <summary>A call of a tool; nothing in it was checked but the types.</summary>
    public sealed record HostCall(int Call, string Name, string Arguments) : ResultMessage;

    public sealed record Done(DoneStatus Status, GuestException? Error, int? ExitCode) : ResultMessage;

    /// <summary>The guest sent what no honest kernel sends; the kernel is killed.</summary>
    public sealed record Violation(string Reason) : ResultMessage;

    /// <summary>The guest sent more than a run may; the run is interrupted.</summary>
    public sealed record Flood : ResultMessage;
}

/// <summary>How the kernel says a run ended.</summary>
internal enum DoneStatus
{
    Ok,
    Error,
    Interrupted,
    Exit,
}

/// <summary>An exception as the guest describes it.</summary>
internal sealed record GuestException(string Name, string Value, string Traceback);
