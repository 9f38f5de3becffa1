using System.Buffers;
using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Bounds;

/// <summary>
/// A body that is read whole into memory: it counts against what the server holds as it arrives, and has five minutes to. (Kestrel sees to it that
/// bytes do come; a body that comes at that least rate for days is not waited for.)
/// </summary>
internal sealed class BoundedBody : Stream
{
    /// <summary>What every request may have without being counted.</summary>
    public const int FreeBytes = 16 << 10;

    /// <summary>How long a body may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Stream _inner;
    private readonly HeldBytes? _held;
    private readonly TimeProvider _time;
    private readonly long _began;
    private ArrayBufferWriter<byte>? _beginning;
    private long _bytes;

    public BoundedBody(Stream inner, HeldShare? share, TimeProvider time)
    {
        (_inner, _held, _time) = (inner, share is null ? null : new HeldBytes(share), time);
        _began = time.GetTimestamp();
    }

    /// <summary>The request's body; what it holds is given back when this is disposed.</summary>
    public static BoundedBody Of(HttpContext context)
    {
        var caller = context.Caller();
        return new BoundedBody(context.Request.Body, caller.Held, caller.Time);
    }

    /// <summary>The beginning of what came, at most <see cref="FreeBytes"/>; empty unless it was to be kept.</summary>
    public ReadOnlySpan<byte> Beginning => _beginning is null ? default : _beginning.WrittenSpan;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _inner.ReadAsync(buffer, cancellationToken);
        if (read > 0)
        {
            Note(read);
            Keep(buffer.Span[..read]);
        }

        return read;
    }

    /// <summary>Keeps the beginning of what comes from now on, to tell the caller what is wrong with it.</summary>
    public void KeepBeginning() => _beginning ??= new ArrayBufferWriter<byte>();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        // Nothing is written.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _held?.Dispose();
        base.Dispose(disposing);
    }

    private void Keep(ReadOnlySpan<byte> piece)
    {
        if (_beginning is { WrittenCount: < FreeBytes and var kept })
        {
            _beginning.Write(piece[..Math.Min(piece.Length, FreeBytes - kept)]);
        }
    }

    private void Note(int read)
    {
        var counted = Math.Max(0, _bytes + read - FreeBytes) - Math.Max(0, _bytes - FreeBytes);
        _bytes += read;
        if (counted > 0)
        {
            _held?.Grow(counted * HeldMemory.Weight);
        }

        if (_time.GetElapsedTime(_began) > Patience)
        {
            throw new BadHttpRequestException($"The body did not arrive within {Patience.TotalMinutes:0} minutes; send large data as files.", StatusCodes.Status408RequestTimeout);
        }
    }
}
