using System.Net.Http.Headers;
using System.Text.Json;

namespace Cove.Benchmarks.Server;

/// <summary>Requests as bytes: the client must cost the same whether the server or the bare echo is asked, and as little as possible.</summary>
internal sealed class HttpLoad : IDisposable
{
    private static readonly byte[] _onePlusOne = """{"code":"1+1"}"""u8.ToArray();
    private static readonly MediaTypeHeaderValue _json = new("application/json");

    private readonly HttpClient _http;

    public HttpLoad(Uri address) => _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, ActivityHeadersPropagator = null })
    {
        BaseAddress = address,
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { { "Accept", "application/json" } },
    };

    public static string RunsOf(string sandbox) => $"/v1/sandboxes/{sandbox}/runs";

    /// <summary>Makes a sandbox; returns its id.</summary>
    public async Task<string> CreateAsync(CancellationToken cancellationToken)
    {
        using var response = await PostAsync("/v1/sandboxes", """{"idle_timeout_ms":3600000}"""u8.ToArray(), cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var answer = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
        return answer.RootElement.GetProperty("id").GetString()!;
    }

    public async Task DeleteAsync(string sandbox, CancellationToken cancellationToken)
    {
        using var response = await _http.DeleteAsync("/v1/sandboxes/" + sandbox, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Whether nothing is left of a sandbox.</summary>
    public async Task<bool> HasEndedAsync(string sandbox, CancellationToken cancellationToken)
    {
        await using var body = await _http.GetStreamAsync("/v1/sandboxes/" + sandbox, cancellationToken);
        using var answer = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
        return answer.RootElement.GetProperty("state").GetString() == "ended";
    }

    /// <summary>Posts <c>1+1</c> and reads the whole answer; returns its length.</summary>
    public async Task<int> OnePlusOneAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await PostAsync(path, _onePlusOne, cancellationToken);
        return (await response.Content.ReadAsByteArrayAsync(cancellationToken)).Length;
    }

    /// <summary>The same as a tool call of the Model Context Protocol, revision 2026-07-28: one request that stands for itself.</summary>
    public async Task<int> CallToolAsync(string sandbox, CancellationToken cancellationToken)
    {
        var body = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run_code","arguments":{"code":"1+1","sandbox_id":"SANDBOX"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}""".Replace("SANDBOX", sandbox, StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp") { Content = new StringContent(body, _json) };
        request.Headers.Accept.ParseAdd("application/json, text/event-stream"); // the protocol wants both
        request.Headers.Add("MCP-Protocol-Version", "2026-07-28");
        request.Headers.Add("Mcp-Method", "tools/call");
        request.Headers.Add("Mcp-Name", "run_code");
        using var response = await _http.SendAsync(request, cancellationToken);
        var answer = await response.Content.ReadAsStringAsync(cancellationToken);
        return answer.Contains("\"exit_code\":0", StringComparison.Ordinal) ? answer.Length : throw new InvalidOperationException($"POST /mcp answered {(int)response.StatusCode}: {answer}");
    }

    /// <summary>Starts a run in the background; returns the path of its events.</summary>
    public async Task<string> StartAsync(string sandbox, byte[] request, CancellationToken cancellationToken)
    {
        using var response = await PostAsync(RunsOf(sandbox) + "?background=true", request, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var answer = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
        return $"{RunsOf(sandbox)}/{answer.RootElement.GetProperty("id").GetString()}/events";
    }

    /// <summary>Opens a stream and leaves it open.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("application/json, text/event-stream"); // the protocol wants both
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.EnsureSuccessStatusCode();
    }

    public async Task UploadAsync(string sandbox, string path, byte[] content, CancellationToken cancellationToken)
    {
        using var body = new ByteArrayContent(content);
        using var response = await _http.PutAsync($"/v1/sandboxes/{sandbox}/files/content?path={path}", body, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Reads a file to its end; returns how many bytes came.</summary>
    public async Task<long> DownloadAsync(string sandbox, string path, CancellationToken cancellationToken)
    {
        await using var content = await _http.GetStreamAsync($"/v1/sandboxes/{sandbox}/files/content?path={path}", cancellationToken);
        var buffer = new byte[1 << 20];
        long total = 0;
        while (await content.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            total += read;
        }

        return total;
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> PostAsync(string path, byte[] body, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = _json;
        var response = await _http.PostAsync(path, content, cancellationToken);
        return response.IsSuccessStatusCode
            ? response
            : throw new InvalidOperationException($"POST {path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
    }
}
