using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Cove.ScriptedModel;

namespace Cove.Tests.ScriptedModel;

/// <summary>A scripted model and a client that speaks to it in bytes.</summary>
internal sealed class Talk : IAsyncDisposable
{
    public const string Newest = "2026-10-21";
    public const string Before = "2023-06-01";

    private readonly HttpClient _http;

    private Talk(ScriptedModelServer server, string version, bool bearer)
    {
        Server = server;
        _http = new HttpClient { BaseAddress = new Uri(server.BaseUrl) };
        _http.DefaultRequestHeaders.Add("anthropic-version", version);
        if (bearer)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "any");
        }
        else
        {
            _http.DefaultRequestHeaders.Add("x-api-key", "any");
        }
    }

    public ScriptedModelServer Server { get; }

    public HttpClient Http => _http;

    public static async Task<Talk> StartAsync(string script, string version = Newest, bool bearer = true, TimeProvider? time = null) =>
        new(await ScriptedModelServer.StartTextAsync(script, time ?? TimeProvider.System, "talk.yaml"), version, bearer);

    /// <summary>A request with the usual members and these.</summary>
    public static string Request(string messages, string more = "") => $$"""{"model":"claude-opus-5-5","max_tokens":100,"messages":{{messages}}{{(more.Length == 0 ? "" : "," + more)}}}""";

    public Task<HttpResponseMessage> PostAsync(string body, string path = "/v1/messages", HttpCompletionOption until = HttpCompletionOption.ResponseContentRead) =>
        _http.SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") }, until);

    public async Task<(int Status, JsonElement Json)> AskAsync(string body, string path = "/v1/messages")
    {
        using var response = await PostAsync(body, path);
        return ((int)response.StatusCode, Parse(await response.Content.ReadAsStringAsync()));
    }

    /// <summary>The answer's text.</summary>
    public async Task<string> TextAsync(string messages, string more = "")
    {
        var (status, json) = await AskAsync(Request(messages, more));
        return status == 200 ? json.GetProperty("content").EnumerateArray().First(b => b.GetProperty("type").GetString() == "text").GetProperty("text").GetString()! : $"{status}: {json.GetProperty("error").GetProperty("message").GetString()}";
    }

    public static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Server.DisposeAsync();
    }
}
