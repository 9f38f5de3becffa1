using Cove.Engine.Isolation;

namespace Cove.Tests.Support;

/// <summary>A pipe as the kernel has it: bounded, ordered, an end of file when the writer closes, a broken pipe when the reader does.</summary>
internal sealed class MemoryPipe(int capacity = 64 << 10) : ByteSource
{
    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _pieces = new();
    private TaskCompletionSource _changed = New();
    private int _held;
    private int _offset;
    private bool _writerClosed;
    private bool _readerClosed;

    public bool ReaderClosed => Volatile.Read(ref _readerClosed);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                var count = Take(buffer.Span);
                if (count >= 0)
                {
                    return count;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    public override int TryRead(Span<byte> buffer)
    {
        lock (_lock)
        {
            return Take(buffer);
        }
    }

    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Task changed;
            lock (_lock)
            {
                if (_readerClosed)
                {
                    return false;
                }

                var count = Math.Min(bytes.Length, capacity - _held);
                if (count > 0)
                {
                    _pieces.Enqueue(bytes[..count].ToArray());
                    _held += count;
                    bytes = bytes[count..];
                    Changed();
                    continue;
                }

                changed = _changed.Task;
            }

            await changed;
        }

        return !ReaderClosed;
    }

    public void CloseWriter()
    {
        lock (_lock)
        {
            _writerClosed = true;
            Changed();
        }
    }

    public override void Dispose()
    {
        lock (_lock)
        {
            _readerClosed = true;
            Changed();
        }
    }

    private int Take(Span<byte> buffer)
    {
        if (_readerClosed)
        {
            return 0;
        }

        if (!_pieces.TryPeek(out var piece))
        {
            return _writerClosed ? 0 : -1;
        }

        var count = Math.Min(buffer.Length, piece.Length - _offset);
        piece.AsSpan(_offset, count).CopyTo(buffer);
        _offset += count;
        _held -= count;
        if (_offset == piece.Length)
        {
            _pieces.Dequeue();
            _offset = 0;
        }

        Changed();
        return count;
    }

    private void Changed()
    {
        var changed = _changed;
        _changed = New();
        changed.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>The writing end of a <see cref="MemoryPipe"/> as the engine sees it.</summary>
internal sealed class MemorySink(MemoryPipe pipe, Func<Task>? noticed = null) : ByteSink
{
    public override async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var written = await pipe.WriteAsync(bytes);
        await (noticed?.Invoke() ?? Task.CompletedTask);
        return written;
    }

    public override void Dispose() => pipe.CloseWriter();
}
