namespace Cove.Client;

/// <summary>
/// Sends a request again where that can't do anything twice: one that only reads, or that carries an <c>Idempotency-Key</c>; and only to a server,
/// since an engine on a Unix socket that does not answer is replaced and not waited for. A server that says how long to wait is taken at its word.
/// </summary>
internal sealed class Repetition(CoveClientOptions options)
{
    public const string KeyHeader = "Idempotency-Key";

    /// <summary>The largest request a server accepts under a key.</summary>
    public const int MaximumKeyedBytes = 1 << 20;

    /// <summary>Who is told to wait longer is told so, and decides.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private int _left = options.UnixSocket is null ? options.Retries : 0;
    private TimeSpan _pause = TimeSpan.FromMilliseconds(100);
    private TimeSpan? _asked;

    /// <summary>Whether the request may be sent once more after this.</summary>
    public bool Allows(HttpRequestMessage request, CoveException failure)
    {
        _asked = failure.RetryAfter;
        return _left-- > 0 && IsSafe(request) && !(_asked > LongestWait) && (_asked is not null || Failures.MayPass(failure));
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(_asked ?? _pause, options.Time, cancellationToken);
        _pause *= 2;
    }

    private static bool IsSafe(HttpRequestMessage request) =>
        request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Headers.Contains(KeyHeader);
}
