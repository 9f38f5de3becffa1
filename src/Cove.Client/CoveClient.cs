using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cove.Wire;

namespace Cove.Client;

/// <summary>Cove over HTTP: the same interface as the engine in process. One instance serves any number of callers.</summary>
public sealed partial class CoveClient : ICove
{
    /// <summary>A body beyond this is sent when the other end has said that it takes it. Smaller ones fit into the socket's buffers or are cheap to lose.</summary>
    private const long AskFirstBytes = 1 << 20;

    private readonly HttpClient _http;
    private readonly CoveClientOptions _options;

    /// <summary>Talks to the engine or server that the options name.</summary>
    public CoveClient(CoveClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _http = Transport.Create(options);
    }

    /// <summary>Creates a sandbox to hold in hand; it ends when it is disposed.</summary>
    public async Task<CoveSandbox> CreateSandboxAsync(SandboxRequest? request = null, CancellationToken cancellationToken = default) =>
        new(this, await ((ICove)this).CreateSandboxAsync(request ?? new SandboxRequest(), cancellationToken));

    /// <inheritdoc/>
    Task<SandboxInfo> ICove.CreateSandboxAsync(SandboxRequest request, CancellationToken cancellationToken) =>
        CreateAsync("/v1/sandboxes", Body(request, CoveJson.Wire.SandboxRequest), CoveJson.Wire.SandboxInfo, cancellationToken);

    /// <inheritdoc/>
    public Task<SandboxInfo> GetSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, Of(sandbox), null, CoveJson.Wire.SandboxInfo, cancellationToken);

    /// <inheritdoc/>
    public Task<SandboxPage> ListSandboxesAsync(SandboxFilter? filter = null, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, "/v1/sandboxes" + (filter is null ? "" : Query(filter)), null, CoveJson.Wire.SandboxPage, cancellationToken);

    /// <inheritdoc/>
    public Task<SandboxInfo> ExtendSandboxAsync(SandboxId sandbox, SandboxExtension extension, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Patch, Of(sandbox), Body(extension, CoveJson.Wire.SandboxExtension), CoveJson.Wire.SandboxInfo, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<SandboxEvent> ReadSandboxEventsAsync(SandboxId sandbox, long after = 0, bool follow = false, CancellationToken cancellationToken = default) =>
        new Following<SandboxEvent>(this, _options, last => Of(sandbox) + $"/events?after={last}&follow={Text(follow)}", CoveJson.Wire.SandboxEvent, static e => e.Sequence, static e => e.Type == "ended")
            .ReadAsync(after, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, Of(sandbox), null, cancellationToken);

    /// <inheritdoc/>
    public Task<SandboxUsage> GetUsageAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, Of(sandbox) + "/usage", null, CoveJson.Wire.SandboxUsage, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<TemplateInfo>> ListTemplatesAsync(CancellationToken cancellationToken = default) =>
        (await SendAsync(HttpMethod.Get, "/v1/templates", null, CoveJson.Wire.TemplateList, cancellationToken)).Templates;

    /// <summary>What the engine at the other end says of itself.</summary>
    public Task<EngineStatus> GetEngineAsync(CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, "/v1/engine", null, CoveJson.Wire.EngineStatus, cancellationToken);

    /// <summary>Asks the engine at the other end for a sign of life; fails with <c>engine_unreachable</c> when there is none, and with <c>http_503</c> when it is stopping.</summary>
    public Task PingAsync(CancellationToken cancellationToken = default) => SendAsync(HttpMethod.Head, "/v1/engine", null, cancellationToken);

    /// <summary>Stops the engine at the other end: at once, or as soon as it has no sandbox.</summary>
    public Task StopEngineAsync(bool whenIdle = false, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, "/v1/engine/stop" + (whenIdle ? "?when=idle" : ""), null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string Query(SandboxFilter filter)
    {
        var query = new List<string> { $"limit={filter.Limit}" };
        query.AddRange((filter.States ?? []).Select(s => "state=" + s.ToString().ToLowerInvariant()));
        query.AddRange((filter.Metadata ?? new Dictionary<string, string>()).Select(m => $"metadata.{Uri.EscapeDataString(m.Key)}={Uri.EscapeDataString(m.Value)}"));
        query.AddRange(filter.Template is { } template ? ["template=" + Uri.EscapeDataString(template)] : Array.Empty<string>());
        query.AddRange(filter.Cursor is { } cursor ? ["cursor=" + Uri.EscapeDataString(cursor)] : Array.Empty<string>());
        return "?" + string.Join('&', query);
    }

    private static string Of(SandboxId sandbox) => "/v1/sandboxes/" + Uri.EscapeDataString(sandbox.Value);

    private static ByteArrayContent Body<T>(T value, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private HttpRequestMessage Request(HttpMethod method, string path, HttpContent? content)
    {
        var message = new HttpRequestMessage(method, path) { Content = content };

        // What refuses an upload answers before the body is sent; otherwise the answer could be lost with the connection.
        message.Headers.ExpectContinue = content is StreamContent || content?.Headers.ContentLength > AskFirstBytes;
        if (_options.Build is { } build)
        {
            message.Headers.TryAddWithoutValidation("X-Cove-Build", build);
        }

        if (_options.ApiKey is { } key)
        {
            message.Headers.TryAddWithoutValidation("X-API-Key", key);
        }

        return message;
    }

    private async Task SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, path, content, HttpCompletionOption.ResponseContentRead, cancellationToken);
    }

    private async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? content, JsonTypeInfo<T> type, CancellationToken cancellationToken, Action<HttpRequestMessage>? change = null)
    {
        using var response = await SendAsync(method, path, content, HttpCompletionOption.ResponseContentRead, cancellationToken, change);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            await using (stream)
            {
                return await JsonSerializer.DeserializeAsync(stream, type, cancellationToken) ?? throw new JsonException("The answer is null.");
            }
        }
        catch (JsonException failure)
        {
            throw Failures.BadAnswer(_options.Address, failure);
        }
    }

    /// <summary>Asks a server for something new, under a key by which the request happens once however often it is sent.</summary>
    private Task<T> CreateAsync<T>(string path, ByteArrayContent content, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var key = _options.UnixSocket is null && content.Headers.ContentLength <= Repetition.MaximumKeyedBytes ? Guid.NewGuid().ToString("N") : null;
        return SendAsync(HttpMethod.Post, path, content, type, cancellationToken, key is null ? null : request => request.Headers.TryAddWithoutValidation(Repetition.KeyHeader, key));
    }

    /// <summary>Sends, again where that is safe, and returns a successful answer; anything else is thrown as what the other end said about it.</summary>
    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content, HttpCompletionOption completion, CancellationToken cancellationToken, Action<HttpRequestMessage>? change = null)
    {
        using var body = content;
        var repetition = new Repetition(_options);
        while (true)
        {
            using var request = Request(method, path, content);
            change?.Invoke(request);
            try
            {
                return await SendOnceAsync(request, completion, cancellationToken);
            }
            catch (CoveException failure) when (repetition.Allows(request, failure))
            {
                request.Content = null; // still to be sent
            }

            await repetition.WaitAsync(cancellationToken);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, completion, cancellationToken);
        }
        catch (HttpRequestException failure) when (failure.InnerException is CoveException inner)
        {
            throw new CoveException(inner.Error, failure);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Failures.Unreachable(_options.Address, failure);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await Failures.ReadAsync(response, _options.Address, cancellationToken);
        }
    }
}
