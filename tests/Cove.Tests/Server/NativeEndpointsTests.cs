using System.Net;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server;

/// <summary>The routes as bytes on the wire; the client's view of them is in Client/CoveClientTests.</summary>
public sealed class NativeEndpointsTests : IAsyncLifetime
{
    private SocketServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await SocketServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_sandbox_is_created_found_and_deleted()
    {
        using var created = await SendAsync(HttpMethod.Post, "/v1/sandboxes", """{"template":"base","limits":{"memory_bytes":268435456},"idle_timeout_ms":5000}""");
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(256L << 20, _server.Cove.LastCreate!.Limits!.MemoryBytes);
        Assert.Equal(TimeSpan.FromSeconds(5), _server.Cove.LastCreate.IdleTimeout);
        var location = created.Headers.Location!.ToString();

        Assert.Contains("\"template\":\"base\"", await _server.Http.GetStringAsync(location), StringComparison.Ordinal);
        Assert.Contains("\"cpu_time_ms\":1.5001", await _server.Http.GetStringAsync(location + "/usage"), StringComparison.Ordinal);
        Assert.StartsWith("{\"sandboxes\":[{", await _server.Http.GetStringAsync("/v1/sandboxes"), StringComparison.Ordinal);

        using var deleted = await SendAsync(HttpMethod.Delete, location);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using var gone = await SendAsync(HttpMethod.Get, location);
        await AssertProblemAsync(gone, HttpStatusCode.NotFound, "sandbox_not_found");
    }

    [Theory]
    [InlineData("POST", "/v1/sandboxes", "{", 400, "bad_json")]
    [InlineData("POST", "/v1/sandboxes", """{"memory":1}""", 400, "bad_json")]
    [InlineData("POST", "/v1/sandboxes", "null", 400, "bad_json")]
    [InlineData("GET", "/v1/sandboxes/NOT-AN-ID", null, 400, "invalid_request")]
    [InlineData("GET", "/v1/sandboxes/sunknown", null, 404, "sandbox_not_found")]
    [InlineData("DELETE", "/v1/sandboxes/sunknown", null, 404, "sandbox_not_found")]
    [InlineData("GET", "/v1/sandboxes/sunknown/usage", null, 404, "sandbox_not_found")]
    [InlineData("POST", "/v1/sandboxes/sunknown/runs", """{"code":"1"}""", 404, "sandbox_not_found")]
    [InlineData("POST", "/v1/sandboxes/sunknown/runs/r1/interrupt", null, 404, "sandbox_not_found")]
    [InlineData("POST", "/v1/sandboxes/sunknown/runs/r1/kill", null, 404, "sandbox_not_found")]
    [InlineData("POST", "/v1/sandboxes/sunknown/runs/R!/kill", null, 400, "invalid_request")]
    [InlineData("POST", "/v1/sandboxes/s1/kernels", """{"id":"python","language":"python"}""", 409, "kernel_exists")]
    [InlineData("POST", "/v1/sandboxes/s1/kernels", """{"id":"k"}""", 400, "bad_json")]
    [InlineData("POST", "/v1/sandboxes/s1/kernels/none/restart", null, 404, "kernel_not_found")]
    [InlineData("DELETE", "/v1/sandboxes/s1/kernels/none", null, 404, "kernel_not_found")]
    [InlineData("GET", "/v1/sandboxes/s1/files/content", null, 400, "invalid_request")]
    [InlineData("GET", "/v1/sandboxes/s1/files/content?path=/a&path=/b", null, 400, "invalid_request")]
    [InlineData("GET", "/v1/sandboxes/s1/files/content?path=/%ff%fe", null, 400, "invalid_request")]
    [InlineData("GET", "/v1/sandboxes/s1/files/content?path=/%C3%A9%25ff%20+", null, 404, "file_not_found")]
    [InlineData("GET", "/v1/sandboxes/s1/files/content?path=/a", null, 404, "file_not_found")]
    [InlineData("GET", "/v1/sandboxes/s1/files/stat?path=/a", null, 404, "file_not_found")]
    [InlineData("GET", "/v1/sandboxes/s1/files/list?path=/a&depth=-1", null, 400, "invalid_request")]
    [InlineData("POST", "/v1/sandboxes/s1/files/mkdir", "{}", 400, "bad_json")]
    [InlineData("POST", "/v1/sandboxes/s1/files/move", """{"from":"/a","to":"/b"}""", 404, "file_not_found")]
    [InlineData("DELETE", "/v1/sandboxes/s1/files?path=/a&recursive=maybe", null, 400, "invalid_request")]
    [InlineData("DELETE", "/v1/sandboxes/s1/files?path=/a", null, 404, "file_not_found")]
    [InlineData("POST", "/v1/engine/stop?when=later", null, 400, "invalid_request")]
    [InlineData("GET", "/v1/sandboxes?metdata.who=me", null, 400, "invalid_request")]
    [InlineData("POST", "/v1/sandboxes/s1/runs?backgroud=true", """{"code":"1"}""", 400, "invalid_request")]
    [InlineData("GET", "/v1/nothing", null, 404, "no_such_route")]
    [InlineData("DELETE", "/v1/templates", null, 405, "no_such_route")]
    public async Task What_can_not_be_done_is_a_problem(string method, string path, string? body, int status, string code)
    {
        using var response = await SendAsync(new HttpMethod(method), path, body);
        await AssertProblemAsync(response, (HttpStatusCode)status, code);
    }

    [Theory]
    [InlineData("/v1/sandboxes", """{"cpus":1}""", "The body has a field 'cpus', which", "Known here: template, limits, environment, metadata, idle_timeout_ms, max_lifetime_ms,")]
    [InlineData("/v1/sandboxes", """{"limits":{"memory":1}}""", "The body has a field 'memory', which", "Known here: memory_bytes, cpu_millis,")]
    [InlineData("/v1/sandboxes", """{"limits":{"pids":"many"}}""", "'limits.pids' that is not a whole number without quotes: \"many\".", "Give a whole number without quotes.")]
    [InlineData("/v1/sandboxes", """{"limits":5}""", "'limits' that is not an object: 5.", "Give an object.")]
    [InlineData("/v1/sandboxes", """{"network":"full"}""", "'network' that is not one of none: \"full\".", "Give one of none.")]
    [InlineData("/v1/sandboxes", """{"idle_timeout_ms":"10s"}""", "'idle_timeout_ms' that is not a number of milliseconds without quotes: \"10s\".", "Give a number of milliseconds without quotes.")]
    [InlineData("/v1/sandboxes", """{"environment":{"A.B 'c'":5}}""", "'environment", "Give a text in quotes.")]
    [InlineData("/v1/sandboxes", """{"template":"base","template":"base"}""", "has the field 'template' twice", "Give it once.")]
    [InlineData("/v1/sandboxes", "[]", "is not one JSON object", "Give one JSON object. Known here: template,")]
    [InlineData("/v1/sandboxes/s1/kernels", """{"id":"k"}""", "lacks the field 'language'.", "Known here: id, language.")]
    [InlineData("/v1/sandboxes/s1/kernels", """{"id":"k","language":"perl"}""", "'language' that is not one of python, bash, javascript: \"perl\".", "Give one of python, bash, javascript.")]
    [InlineData("/v1/sandboxes/s1/runs", """{"code":"1","tools":[{"name":"a"},{"name":5}]}""", "'tools[1].name' that is not a text in quotes: 5.", "Give a text in quotes.")]
    [InlineData("/v1/sandboxes/s1/runs", """{"code":"1","tools":[{"name":"a","schema":{}}]}""", "a field 'schema', which", "Known here: name, description, input_schema")]
    [InlineData("/v1/sandboxes/s1/runs", """{"code":"1","id":"NO"}""", "'id' that is not an id of 1 to 40 characters of a-z and 0-9: \"NO\".", "Give an id of 1 to 40 characters of a-z and 0-9.")]
    [InlineData("/v1/sandboxes", """{"limits":[1,2]}""", "'limits' that is not an object: a list.", "Give an object.")]
    [InlineData("/v1/sandboxes", """{"limits":{"pids":12x}}""", "'limits.pids' that is not a whole number without quotes, or breaks off there.", "Give a whole number")]
    [InlineData("/v1/sandboxes", """{"idle_timeout_ms":"ghp_abcdefghijklmnopqrstuvwxyz\n"}""", "without quotes: \"[redacted key]\\u000a\".", "Give a number")]
    public async Task A_body_that_can_not_be_read_is_explained_in_the_callers_words(string path, string body, string words, string fix)
    {
        using var response = await SendAsync(HttpMethod.Post, path, body);
        var problem = await response.Content.ReadAsStringAsync();
        var told = System.Text.Json.JsonDocument.Parse(problem).RootElement;
        Assert.Contains(words, told.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.StartsWith(fix, told.GetProperty("remediation").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Cove.", problem, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(20_000, true)]
    public async Task A_byte_order_mark_before_the_json_is_overlooked(int padding, bool lengthIsSaid)
    {
        byte[] body = [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes("{\"template\":\"base\"" + new string(' ', padding) + "}")];
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sandboxes") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = !lengthIsSaid;
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Fact]
    public async Task A_long_value_is_shown_in_its_beginning()
    {
        var body = "{\"metadata\":{\"why\":\"" + new string('w', 9000) + "\"},\"limits\":{\"pids\":\"" + new string('x', 5000) + "\"}}";
        using var response = await SendAsync(HttpMethod.Post, "/v1/sandboxes", body);
        Assert.Contains($"a whole number without quotes: \"{new string('x', 100)}…\".", await DetailAsync(response), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/sandboxes", """{"environment":"PASS=hunter2"}""")]
    [InlineData("/v1/sandboxes", """{"environment":{"PASS":12342}}""")]
    [InlineData("/v1/sandboxes", """{"environment":{"PASS":["hunter2"]}}""")]
    [InlineData("/v1/sandboxes/s1/runs", """{"code":"1","environment":["hunter2"]}""")]
    [InlineData("/v1/sandboxes/s1/runs", """{"code":"1","stdin_base64":"hunter2!"}""")]
    [InlineData("/v1/sandboxes/s1/runs", """{"argv":"curl -u me:hunter2"}""")]
    public async Task A_value_that_may_be_secret_is_not_shown(string path, string body)
    {
        using var response = await SendAsync(HttpMethod.Post, path, body);
        var detail = await DetailAsync(response);
        Assert.Contains("has a value at '", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("12342", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_with_a_wrong_mode_is_refused()
    {
        var sandbox = await _server.SandboxAsync();
        using var response = await _server.Http.PutAsync($"/v1/sandboxes/{sandbox}/files/content?path=/workspace/a&mode=999", new ByteArrayContent([1]));
        await AssertProblemAsync(response, HttpStatusCode.BadRequest, "invalid_request");
    }

    [Fact]
    public async Task A_run_streams_a_line_for_each_event_as_it_happens()
    {
        var sandbox = await _server.SandboxAsync();
        var goOn = new TaskCompletionSource();
        _server.Cove.Run = async run =>
        {
            run.Print("first");
            await goOn.Task;
            run.Print("second");
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox}/runs") { Content = Json("""{"code":"1"}""") };
        using var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType!.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Contains("\"type\":\"started\"", await lines.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Contains("first", await lines.ReadLineAsync(), StringComparison.Ordinal);
        goOn.SetResult();
        Assert.Contains("second", await lines.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Contains("\"type\":\"completed\"", await lines.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Null(await lines.ReadLineAsync());
    }

    [Fact]
    public async Task A_dropped_connection_interrupts_its_run_when_that_was_asked_for()
    {
        var sandbox = await _server.SandboxAsync();
        _server.Cove.Run = run => run.Interrupted;
        using (var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox}/runs?on_disconnect=interrupt") { Content = Json("""{"code":"1"}""") })
        {
            using var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }

        await _server.Cove.RunCancelled.Task.WaitAsync(Hang.Limit);
    }

    [Fact]
    public async Task A_file_that_shrinks_while_it_is_read_breaks_the_answer_instead_of_ending_it()
    {
        var sandbox = await _server.SandboxAsync();
        _server.Cove.Files["/workspace/a"] = new byte[10];
        _server.Cove.ClaimedLength = 20;

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => _server.Http.GetByteArrayAsync($"/v1/sandboxes/{sandbox}/files/content?path=/workspace/a"));
    }

    [Fact]
    public async Task A_file_that_grows_while_it_is_read_has_the_length_it_began_with()
    {
        var sandbox = await _server.SandboxAsync();
        _server.Cove.Files["/workspace/a"] = new byte[10];
        _server.Cove.ClaimedLength = 4;

        Assert.Equal(4, (await _server.Http.GetByteArrayAsync($"/v1/sandboxes/{sandbox}/files/content?path=/workspace/a")).Length);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains($"\"code\":\"{code}\"", body, StringComparison.Ordinal);
        Assert.Contains("\"remediation\":", body, StringComparison.Ordinal);
    }

    private static async Task<string?> DetailAsync(HttpResponseMessage response) =>
        System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("detail").GetString();

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : Json(body) };
        return await _server.Http.SendAsync(request);
    }
}
