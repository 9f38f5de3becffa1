using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Files;

/// <summary>
/// A file of a sandbox (or the part of it from <c>start</c>), opened for reading. Its length is what it was when it was opened: a file that grows is not followed, one
/// that shrinks ends early. Never mapped: a mapping of a file that shrinks would kill the host's process.
/// </summary>
internal sealed class SandboxFileStream(SafeFileHandle handle, long length, long start = 0) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        var count = RandomAccess.Read(handle, buffer[..Bounded(buffer.Length)], start + _position);
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await RandomAccess.ReadAsync(handle, buffer[..Bounded(buffer.Length)], start + _position, cancellationToken);
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        handle.Dispose();
        base.Dispose(disposing);
    }

    private int Bounded(int wanted) => (int)Math.Clamp(length - _position, 0, wanted);
}
