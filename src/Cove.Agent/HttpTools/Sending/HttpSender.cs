using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cove.Agent.HttpTools.Sending;

/// <summary>
/// Sends one request and reads its answer, within bounds. No redirect is followed (its target was declared by nobody), no proxy of the environment is
/// used (it would dial what is judged here), no cookie kept. Connections to private and to public hosts are kept apart, so that none is reused for the other.
/// </summary>
internal sealed class HttpSender : IDisposable
{
    private const int ConnectionsPerHost = 64;
    private readonly HttpMessageInvoker _public;
    private readonly HttpMessageInvoker _private;
    private readonly TimeProvider _time;

    public HttpSender(Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time)
    {
        _time = time;
        _public = new HttpMessageInvoker(Handler(new Dialer(resolve, allowPrivate: false)));
        _private = new HttpMessageInvoker(Handler(new Dialer(resolve, allowPrivate: true)));
    }

    /// <summary>One try. Throws only when it is cancelled.</summary>
    public async ValueTask<Attempt> SendAsync(CallState call, bool allowPrivate, int maximumBytes, CancellationToken cancellationToken)
    {
        call.Tries++;
        call.HasSent = false;
        using var request = call.Plan.Request(call);
        try
        {
            using var response = await (allowPrivate ? _private : _public).SendAsync(request, cancellationToken).ConfigureAwait(false);
            return await ReadAsync(response, maximumBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or InvalidDataException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Failed(failure, request.Content is null || call.HasSent);
        }
    }

    public void Dispose()
    {
        _public.Dispose();
        _private.Dispose();
    }

    private static SocketsHttpHandler Handler(Dialer dialer) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.All,
        MaxConnectionsPerServer = ConnectionsPerHost,
        MaxResponseHeadersLength = 64, // KiB
        PooledConnectionLifetime = TimeSpan.FromMinutes(2), // names are resolved anew
        ConnectCallback = (context, cancellationToken) => dialer.DialAsync(context.DnsEndPoint, cancellationToken),
        ActivityHeadersPropagator = null, // what this server calls its traces is nobody else's business
    };

    private async Task<Attempt> ReadAsync(HttpResponseMessage response, int maximumBytes, CancellationToken cancellationToken)
    {
        // Bounded after it was unpacked: a kilobyte can stand for a gigabyte.
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[maximumBytes + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        var type = response.Content.Headers.ContentType;
        var wait = WaitOf(response);
        var status = (int)response.StatusCode;
        return new Attempt(length > maximumBytes ? AttemptKind.TooLarge : AttemptKind.Answered)
        {
            Status = status,
            Wait = wait,
            IsRateLimited = status == 429 || (status == 403 && (wait is not null || IsExhausted(response))),
            Body = length > maximumBytes ? [] : buffer[..length],
            MediaType = type?.MediaType,
            Charset = type?.CharSet,
        };
    }

    /// <summary>Retry-After in seconds or as a date; else the moment at which the widely used <c>x-ratelimit-reset</c> says that an exhausted limit begins anew.</summary>
    private TimeSpan? WaitOf(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter;
        var wait = asked?.Delta ?? (asked?.Date is { } date ? date - _time.GetUtcNow() : null);
        if (wait is null && IsExhausted(response) && Header(response, "x-ratelimit-reset") is { } reset
            && long.TryParse(reset, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 1_000_000_000 and < 100_000_000_000)
        {
            wait = DateTimeOffset.FromUnixTimeSeconds(seconds) - _time.GetUtcNow();
        }

        return wait is not { } known ? null : known < TimeSpan.Zero ? TimeSpan.Zero : known > TimeSpan.FromDays(1) ? TimeSpan.FromDays(1) : known;
    }

    private static bool IsExhausted(HttpResponseMessage response) => Header(response, "x-ratelimit-remaining") == "0";

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    /// <summary>What a failure is called. Its own message is not passed on: it names addresses.</summary>
    private static Attempt Failed(Exception failure, bool hasSent)
    {
        for (var inner = failure; inner is not null; inner = inner.InnerException)
        {
            if (inner is AddressRefused)
            {
                return new Attempt(AttemptKind.AddressRefused) { Detail = inner.Message };
            }
        }

        var error = (failure as HttpRequestException)?.HttpRequestError;
        return error switch
        {
            HttpRequestError.NameResolutionError => new Attempt(AttemptKind.NotConnected) { Detail = "its name can't be resolved" },
            HttpRequestError.SecureConnectionError => new Attempt(AttemptKind.NotConnected) { Detail = "no TLS connection came about: its certificate or its protocol is not acceptable" },
            HttpRequestError.ConnectionError => new Attempt(AttemptKind.NotConnected) { Detail = (failure.InnerException as SocketException)?.SocketErrorCode is { } code ? $"no connection came about ({code})" : "no connection came about" },
            _ when !hasSent => new Attempt(AttemptKind.NotConnected) { Detail = "no connection came about" },
            _ => new Attempt(AttemptKind.Broken) { Detail = failure is InvalidDataException ? "its answer can't be unpacked" : "the connection broke, or what came was no HTTP" },
        };
    }
}
