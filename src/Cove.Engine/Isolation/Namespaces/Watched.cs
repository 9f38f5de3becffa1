using System.Threading.Tasks.Sources;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>A descriptor in the reactor's care. One reader and one writer may wait at a time.</summary>
internal sealed class Watched : IDisposable
{
    private readonly Reactor _reactor;
    private readonly Lock _gate = new();
    private readonly Waiter _reader = new();
    private readonly Waiter _writer = new();
    private bool _armed;
    private bool _disposed;

    internal Watched(Reactor reactor, long key, SafeFileHandle descriptor)
    {
        _reactor = reactor;
        Key = key;
        Descriptor = descriptor;
    }

    public SafeFileHandle Descriptor { get; }

    internal long Key { get; }

    /// <summary>Completes with true when reading will not block, with false when this was disposed.</summary>
    public ValueTask<bool> WaitReadableAsync(CancellationToken cancellationToken) => WaitAsync(_reader, cancellationToken);

    /// <summary>Completes with true when writing will not block, with false when this was disposed.</summary>
    public ValueTask<bool> WaitWritableAsync(CancellationToken cancellationToken) => WaitAsync(_writer, cancellationToken);

    /// <summary>Holds this thread until reading will not block, which it answers; see <see cref="Reactor.WaitBriefly"/>.</summary>
    public bool WaitBriefly(TimeSpan most, Task? unless = null) => _reactor.WaitBriefly(Descriptor, most, unless);

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _reactor.Forget(this, _armed);
            Descriptor.Dispose();
        }

        _reader.Complete(false);
        _writer.Complete(false);
    }

    internal void Signal(uint events)
    {
        const uint Broken = Libc.EPOLLERR | Libc.EPOLLHUP;
        if ((events & (Libc.EPOLLIN | Broken)) != 0)
        {
            _reader.Complete(true);
        }

        if ((events & (Libc.EPOLLOUT | Broken)) != 0)
        {
            _writer.Complete(true);
        }

        lock (_gate)
        {
            if (!_disposed && Interest != 0)
            {
                _reactor.Arm(this, first: false, Interest);
            }
        }
    }

    private uint Interest => (_reader.IsWaiting ? Libc.EPOLLIN : 0) | (_writer.IsWaiting ? Libc.EPOLLOUT : 0);

    private ValueTask<bool> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ValueTask<bool> task;
        lock (_gate)
        {
            if (_disposed)
            {
                return new(false);
            }

            task = waiter.Begin(cancellationToken);
            _reactor.Arm(this, first: !_armed, Interest);
            _armed = true;
        }

        return task;
    }

    private sealed class Waiter : IValueTaskSource<bool>
    {
        private readonly Lock _gate = new();
        private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
        private CancellationTokenRegistration _registration;
        private CancellationToken _cancellationToken;

        public bool IsWaiting { get; private set; }

        public ValueTask<bool> Begin(CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                if (IsWaiting)
                {
                    throw new InvalidOperationException("Somebody waits for this descriptor already.");
                }

                _core.Reset();
                IsWaiting = true;
                _cancellationToken = cancellationToken;
            }

            var task = new ValueTask<bool>(this, _core.Version);
            if (cancellationToken.CanBeCanceled)
            {
                _registration = cancellationToken.UnsafeRegister(static state => ((Waiter)state!).Cancel(), this);
            }

            return task;
        }

        public void Complete(bool value)
        {
            lock (_gate)
            {
                if (!IsWaiting)
                {
                    return;
                }

                IsWaiting = false;
            }

            _core.SetResult(value);
        }

        public bool GetResult(short token)
        {
            _registration.Dispose();
            return _core.GetResult(token);
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);

        private void Cancel()
        {
            lock (_gate)
            {
                if (!IsWaiting)
                {
                    return;
                }

                IsWaiting = false;
            }

            _core.SetException(new OperationCanceledException(_cancellationToken));
        }
    }
}
