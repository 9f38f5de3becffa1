using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Frames over a stream socket, descriptors beside them. One sender and one receiver at a time (senders queue here).</summary>
internal sealed class UnixFrameLink : IFrameLink
{
    public const int MaxFrame = 1 << 20;

    private readonly Watched _watched;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Queue<SafeFileHandle> _descriptors = new();
    private readonly Queue<long> _descriptorsEnd = new(); // how much had been received when each came
    private long _received;
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    public UnixFrameLink(Reactor reactor, SafeFileHandle descriptor) => _watched = reactor.Watch(descriptor);

    public async ValueTask SendAsync(ReadOnlyMemory<byte> body, RunChannels? channels, CancellationToken cancellationToken)
    {
        var own = channels as PipeRunChannels;
        try
        {
            await SendAsync(body, own is null ? [] : own.GuestEnds.ToArray(), cancellationToken);
        }
        finally
        {
            own?.CloseGuestEnds();
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> body, SafeFileHandle[] descriptors, CancellationToken cancellationToken)
    {
        if (body.Length is 0 or > MaxFrame)
        {
            throw new ArgumentException($"A frame of {body.Length} bytes cannot be sent; the limit is {MaxFrame}.", nameof(body));
        }

        var frame = new byte[4 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        body.CopyTo(frame.AsMemory(4));
        await _sending.WaitAsync(cancellationToken);
        try
        {
            var sent = 0;
            while (sent < frame.Length)
            {
                var count = Descriptors.Send(_watched.Descriptor, frame.AsSpan(sent), sent == 0 ? descriptors : []);
                if (count > 0)
                {
                    sent += count;
                    continue;
                }

                // A frame once begun is finished: half of one would make the rest of the link unreadable.
                var mayWait = sent == 0 ? cancellationToken : CancellationToken.None;
                if (count == Descriptors.Broken || !await _watched.WaitWritableAsync(mayWait))
                {
                    throw new CellGoneException("The peer closed the link.");
                }
            }
        }
        finally
        {
            _sending.Release();
        }
    }

    public async ValueTask<ReceivedFrame?> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryReceive(out var frame))
            {
                return frame;
            }

            if (!await _watched.WaitReadableAsync(cancellationToken))
            {
                return AtEnd();
            }
        }
    }

    /// <summary>Takes the next frame, or null at the end of the link; false while neither is there.</summary>
    public bool TryReceive(out ReceivedFrame? frame)
    {
        while (true)
        {
            if (TakeFrame() is { } body)
            {
                frame = new ReceivedFrame(body, TakeDescriptor());
                return true;
            }

            switch (Fill())
            {
                case Descriptors.WouldBlock:
                    frame = null;
                    return false;
                case <= 0:
                    frame = AtEnd();
                    return true;
            }
        }
    }

    /// <summary>Completes when <see cref="TryReceive"/> has something to say, with false when this was disposed.</summary>
    public ValueTask<bool> WaitReadableAsync(CancellationToken cancellationToken) => _watched.WaitReadableAsync(cancellationToken);

    /// <summary>Holds this thread until something has arrived, which it answers; see <see cref="Reactor.WaitBriefly"/>.</summary>
    public bool WaitBriefly(TimeSpan most, Task unless) => _watched.WaitBriefly(most, unless);

    /// <summary>Of a peer that has ended: whether it did before it had read all that was sent. Can be asked once.</summary>
    public bool LeftUnread() => Descriptors.LeftUnread(_watched.Descriptor);

    public void Dispose()
    {
        _watched.Dispose();
        while (_descriptors.TryDequeue(out var descriptor))
        {
            descriptor.Dispose();
        }
    }

    /// <summary>
    /// The descriptor that came with the frame just taken. The kernel hands frames without one together with the next that has one, and
    /// stops behind that: it belongs to the frame that the piece received with it ends in, which need not be the first.
    /// </summary>
    private SafeFileHandle? TakeDescriptor()
    {
        SafeFileHandle? taken = null;
        var frameEnd = _received - (_end - _start);
        while (_descriptorsEnd.TryPeek(out var came) && came <= frameEnd)
        {
            _descriptorsEnd.Dequeue();
            var descriptor = _descriptors.Dequeue();
            if (taken is null)
            {
                taken = descriptor;
            }
            else
            {
                descriptor.Dispose(); // a frame has one at most
            }
        }

        return taken;
    }

    private byte[]? TakeFrame()
    {
        if (_end - _start < 4)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_start));
        if (length is 0 or > MaxFrame)
        {
            throw new FrameException($"A frame claims {length} bytes; the limit is {MaxFrame}.");
        }

        if (_end - _start - 4 < length)
        {
            Reserve(4 + (int)length);
            return null;
        }

        var body = _buffer.AsSpan(_start + 4, (int)length).ToArray();
        _start += 4 + (int)length;
        return body;
    }

    private void Reserve(int size)
    {
        if (_buffer.Length - _start >= size)
        {
            return;
        }

        var bigger = _buffer.Length >= size ? _buffer : new byte[size];
        Buffer.BlockCopy(_buffer, _start, bigger, 0, _end - _start);
        (_buffer, _end, _start) = (bigger, _end - _start, 0);
    }

    private ReceivedFrame? AtEnd() => _start == _end ? null : throw new FrameException("The link ended within a frame.");

    /// <summary>Receives what is there: its bytes, 0 or <see cref="Descriptors.Broken"/> at the end, <see cref="Descriptors.WouldBlock"/> when there is nothing.</summary>
    private int Fill()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        Reserve(Math.Max(_end - _start + 1024, 4096));
        var count = Descriptors.Receive(_watched.Descriptor, _buffer.AsSpan(_end), _descriptors);
        _end += Math.Max(count, 0);
        _received += Math.Max(count, 0);
        while (_descriptorsEnd.Count < _descriptors.Count)
        {
            _descriptorsEnd.Enqueue(_received);
        }

        return count;
    }
}
