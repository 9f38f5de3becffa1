using System.Buffers;
using System.Buffers.Binary;
using Cove.Engine.Isolation;

namespace Cove.Engine.Guest;

/// <summary>The numbers of the guest protocol (specs/guest-protocol.md).</summary>
internal static class Frames
{
    /// <summary>The newest generation; 1 is spoken with kernels that know no other.</summary>
    public const int Generation = 2;

    /// <summary>The first generation whose kernels can call tools.</summary>
    public const int GenerationOfTools = 2;

    public const int PrefixBytes = 4;
    public const int MaxBodyBytes = 1 << 20;

    /// <summary>Nesting a frame may have; deeper is no honest kernel.</summary>
    public const int MaxDepth = 16;
}

/// <summary>
/// Cuts a stream of bytes into frames. Holds at most one frame and what was read behind it: a length is checked before it is
/// believed, and the buffer grows with what arrives, not with what was announced.
/// </summary>
internal sealed class FrameBuffer : IDisposable
{
    // One frame, its prefix, and room to read on: nothing a guest announces makes it larger.
    public const int MaxCapacity = Frames.MaxBodyBytes + Frames.PrefixBytes + MinimumFree;
    private const int MinimumFree = 4096;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(2 * MinimumFree);
    private int _start;
    private int _end;

    public int Capacity => _bytes.Length;

    /// <summary>Whether bytes of an unfinished frame are left.</summary>
    public bool HasPartial => _end > _start;

    /// <summary>Where to read into. Invalidates bodies returned before.</summary>
    public Memory<byte> Free()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_bytes.Length - _end < MinimumFree)
        {
            MakeRoom();
        }

        return _bytes.AsMemory(_end);
    }

    public void Advance(int count) => _end += count;

    /// <summary>The next whole frame's body; it is valid until <see cref="Free"/>. Throws <see cref="FrameException"/> for an impossible length.</summary>
    public bool TryRead(out ReadOnlySpan<byte> body)
    {
        body = default;
        if (_end - _start < Frames.PrefixBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(_start));
        if (length is 0 or > Frames.MaxBodyBytes)
        {
            throw new FrameException($"A frame announced {length} bytes; 1 to {Frames.MaxBodyBytes} are allowed.");
        }

        if (_end - _start - Frames.PrefixBytes < (int)length)
        {
            return false;
        }

        body = _bytes.AsSpan(_start + Frames.PrefixBytes, (int)length);
        _start += Frames.PrefixBytes + (int)length;
        return true;
    }

    public void Dispose()
    {
        var bytes = _bytes;
        _bytes = [];
        _start = _end = 0;
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void MakeRoom()
    {
        var held = _end - _start;
        if (held + MinimumFree <= _bytes.Length / 2 || (_start > 0 && _bytes.Length >= MaxCapacity))
        {
            _bytes.AsSpan(_start, held).CopyTo(_bytes);
        }
        else
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Min(Math.Max(_bytes.Length * 2, held + MinimumFree), MaxCapacity));
            _bytes.AsSpan(_start, held).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        _start = 0;
        _end = held;
    }
}
