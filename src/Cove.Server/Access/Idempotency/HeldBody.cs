using Microsoft.AspNetCore.Http;

namespace Cove.Server.Access.Idempotency;

/// <summary>Holds a JSON answer back until it was kept; anything else, and what is too long, passes through as it comes.</summary>
internal sealed class HeldBody(HttpResponse response, Stream inner, Func<Task> onPass) : Stream
{
    public const int MaximumBytes = 1 << 20;

    private readonly MemoryStream _held = new();

    /// <summary>Whether it passed through, so that it can't be given again.</summary>
    public bool Passed { get; private set; }

    public ReadOnlyMemory<byte> Held => _held.GetBuffer().AsMemory(0, (int)_held.Length);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!Passed && IsJson(response.ContentType) && _held.Length + buffer.Length <= MaximumBytes)
        {
            // Not cancelled by a caller that hung up: it will ask again, and be given this.
            await _held.WriteAsync(buffer, CancellationToken.None);
            return;
        }

        await PassAsync(cancellationToken);
        await inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (!Passed && _held.Length == 0 && !IsJson(response.ContentType) && response.ContentType is not null)
        {
            await PassAsync(cancellationToken);
        }

        if (Passed)
        {
            await inner.FlushAsync(cancellationToken);
        }
    }

    public override void Flush()
    {
        // Everything is written and flushed asynchronously.
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Sends what was held.</summary>
    private async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        await inner.WriteAsync(Held, cancellationToken);
        _held.SetLength(0);
    }

    private async ValueTask PassAsync(CancellationToken cancellationToken)
    {
        if (!Passed)
        {
            Passed = true;
            await onPass();
            await ReleaseAsync(cancellationToken);
        }
    }

    private static bool IsJson(string? type) => type is not null && (type.StartsWith("application/json", StringComparison.Ordinal) || type.StartsWith("application/problem+json", StringComparison.Ordinal));
}
