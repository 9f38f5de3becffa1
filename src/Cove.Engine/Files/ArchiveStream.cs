namespace Cove.Engine.Files;

/// <summary>An archive on its way out of a sandbox. It ends well only when the worker says that all of it came; otherwise reading throws.</summary>
internal sealed class ArchiveStream(FileErrand errand, IDisposable use) : Stream
{
    private bool _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ended || buffer.IsEmpty)
        {
            return 0;
        }

        var count = await errand.ReadAsync(buffer, cancellationToken);
        if (count == 0)
        {
            await errand.EndAsync(cancellationToken);
            _ended = true;
        }

        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await errand.DisposeAsync();
        use.Dispose();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            errand.DisposeAsync().AsTask().GetAwaiter().GetResult(); // it only closes; nothing is waited for
            use.Dispose();
        }

        base.Dispose(disposing);
    }
}
