namespace Cove.Engine.Runs;

/// <summary>Why a run was asked to stop.</summary>
internal enum StopReason
{
    None,
    Deadline,
    Interrupt,
    OutputLimit,
    Kill,
    ProtocolViolation,
    SandboxEnding,

    /// <summary>The host can't go on with it, by no fault of the guest's.</summary>
    HostFailure,
}

/// <summary>The wish that a run stop. The first reason is the one reported; a later kill only shortens the way.</summary>
internal sealed class RunStop
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _kill = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _reason;

    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    public Task Asked => _asked.Task;

    /// <summary>Completes when no grace is to be given (any more).</summary>
    public Task KillAsked => _kill.Task;

    /// <summary>What the guest broke, for the log and the error; set before the violation is requested.</summary>
    public string? Violation { get; private set; }

    public void Request(StopReason reason)
    {
        _ = Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None);
        if (reason is StopReason.Kill or StopReason.ProtocolViolation or StopReason.SandboxEnding or StopReason.HostFailure)
        {
            _kill.TrySetResult();
        }

        _asked.TrySetResult();
    }

    public void RequestForViolation(string detail)
    {
        Violation ??= detail;
        Request(StopReason.ProtocolViolation);
    }
}
