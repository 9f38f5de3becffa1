namespace Cove.Server.Hosting;

/// <summary>A server's life: opened once everything it needs is in place, then serving, then draining.</summary>
internal sealed class ServerLife : ILife
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _requests;
    private volatile bool _draining;

    /// <summary>Completes when requests may be answered: between the first connection that the kernel accepts and the moment root is given up none is.</summary>
    public Task Opened => _opened.Task;

    public bool Draining => _draining;

    public RunError? Refusal => _draining ? Problems.Draining() : null;

    public int Requests => Volatile.Read(ref _requests);

    public void Open() => _opened.TrySetResult();

    /// <summary>Cuts off what waits for a server that never opened.</summary>
    public void GiveUp() => _opened.TrySetCanceled();

    /// <summary>Takes nothing new from now on; completes when no request is in progress any more that somebody waits for.</summary>
    public Task DrainAsync()
    {
        _draining = true;
        Interlocked.MemoryBarrier();
        Look();
        return _idle.Task;
    }

    public IDisposable? Enter(Operation operation)
    {
        if (operation.Endless)
        {
            return null;
        }

        Interlocked.Increment(ref _requests);
        return new Request(this);
    }

    private void Leave()
    {
        Interlocked.Decrement(ref _requests);
        Look();
    }

    private void Look()
    {
        if (_draining && Volatile.Read(ref _requests) == 0)
        {
            _idle.TrySetResult();
        }
    }

    private sealed class Request(ServerLife life) : IDisposable
    {
        public void Dispose() => life.Leave();
    }
}
