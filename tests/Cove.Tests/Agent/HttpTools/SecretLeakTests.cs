using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cove.Agent.HttpTools;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.HttpTools;

/// <summary>The other side gets the secret and gives it back in every way it can; whoever reads results, errors, logs or definitions finds none.</summary>
public sealed class SecretLeakTests
{
    private const string Declaration = "method: POST\nurl: BASE/x/{a}\nquery: {key: '${secret:TOKEN}'}\nheaders: {Authorization: 'Bearer ${secret:TOKEN}', X-User: 'u:${secret:TOKEN}'}\nbody: {token: '${secret:TOKEN}', a: '{a}'}";
    private const string Schema = "{type: object, required: [a], properties: {a: {type: string}}}";

    public static TheoryData<int> Statuses() => [200, 400, 401, 404, 422, 429, 500, 302];

    [Theory]
    [MemberData(nameof(Statuses))]
    public async Task No_echo_comes_through(int status)
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool(Declaration + "\nretry: {max: 0}", Schema));
        bench.Api.Answer = (request, context) => FakeApi.Json(context, status, Echo(request), ("Location", "https://example.com/?t=" + Uri.EscapeDataString(ToolBench.Token)), ("X-Echo", "echo"));
        var result = await bench.CallAsync("""{"a":"v"}""");
        Assert.Equal(status == 200, result.Error is null);
        AssertHidden(bench, result);
        Assert.Contains("[redacted TOKEN]", bench.Everything(result), StringComparison.Ordinal);

        // It was really sent, or there would have been nothing to hide.
        var request = Assert.Single(bench.Api.Requests);
        Assert.Equal("Bearer " + ToolBench.Token, request.Headers["Authorization"]);
        Assert.Equal("/x/v?key=" + Uri.EscapeDataString(ToolBench.Token), request.Target);
        Assert.Equal(ToolBench.Token, JsonDocument.Parse(request.Body).RootElement.GetProperty("token").GetString());
    }

    [Theory]
    [InlineData("as: text")]
    [InlineData("fields: {a: message, b: nested.0.raw}")]
    [InlineData("success: 201")]
    [InlineData("max_bytes: 1024")]
    [InlineData("when: {path: ok, is: true}")]
    public async Task No_mapping_lets_one_through(string response)
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool(Declaration + "\nresponse: {" + response + "}", Schema));
        bench.Api.Answer = (request, context) => FakeApi.Json(context, 200, Echo(request));
        AssertHidden(bench, await bench.CallAsync("""{"a":"v"}"""));
        Assert.Single(bench.Api.Requests);
    }

    [Fact]
    public async Task What_is_no_JSON_is_hidden_too()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool(Declaration, Schema));
        bench.Api.Answer = (_, context) => FakeApi.Json(context, 200, "<html>" + WebUtility.HtmlEncode(ToolBench.Token) + ToolBench.Token + "</html>");
        var result = await bench.CallAsync("""{"a":"v"}""");
        Assert.NotNull(result.Error);
        AssertHidden(bench, result);
    }

    [Fact]
    public async Task A_secret_is_hidden_before_a_text_is_cut()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool(Declaration + "\nretry: {max: 0}", Schema));
        foreach (var padding in Enumerable.Range(970, 40))
        {
            bench.Api.Answer = (_, context) => FakeApi.Json(context, 400, JsonSerializer.Serialize(new { message = new string('x', padding) + ToolBench.Token }));
            var text = bench.Everything(await bench.CallAsync("""{"a":"v"}"""));
            Assert.DoesNotContain(ToolBench.Token[..8], text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_value_that_looks_like_a_reference_is_none()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x\nbody: {a: '{a}', b: 'x {a}'}\nheaders: {X-A: '{a}'}", Schema));
        Assert.Null((await bench.CallAsync("""{"a":"${secret:TOKEN}"}""")).Error);
        var request = Assert.Single(bench.Api.Requests);
        Assert.Equal("${secret:TOKEN}", request.Headers["X-A"]);
        Assert.Equal("""{"a":"${secret:TOKEN}","b":"x ${secret:TOKEN}"}""", request.Body);
    }

    [Fact]
    public async Task A_missing_secret_is_told_to_the_model_without_its_name_and_nothing_is_sent()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/x\nheaders: {Authorization: '${secret:NOT_THERE}'}"));
        var result = await bench.CallAsync();
        Assert.Equal(ToolErrorCategory.Unavailable, result.Error!.ErrorCategory);
        Assert.False(result.Error.IsRetryable);
        Assert.DoesNotContain("NOT_THERE", result.Error.ToJson(), StringComparison.Ordinal);
        Assert.Empty(bench.Api.Requests);
    }

    [Fact]
    public async Task What_a_source_throws_is_not_passed_on()
    {
        using var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "t.yaml");
        await File.WriteAllTextAsync(path, ToolBench.Tool("method: GET\nurl: https://api.example.com/x\nheaders: {Authorization: '${secret:TOKEN}'}"));
        var log = new RecordedLog();
        using var set = HttpToolset.Load(path, new SecretStore(new Broken()), new HttpToolsetOptions { Log = log });
        using var input = JsonDocument.Parse("{}");
        var result = await set[0].CallAsync(new ToolCall { Id = "", Name = "it", Input = input.RootElement }, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(ToolBench.Token, result.Error!.ToJson() + string.Concat(log.Lines.Select(line => line.Text)), StringComparison.Ordinal);
    }

    private static string Echo(FakeApiRequest request) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["message"] = "Bad credentials: " + request.Headers["Authorization"],
        ["error"] = request.Headers["X-User"],
        ["headers"] = request.Headers,
        ["target"] = request.Target,
        ["body"] = request.Body,
        ["errors"] = new[] { request.Body, Convert.ToBase64String(Encoding.UTF8.GetBytes("u:" + ToolBench.Token)) },
        ["nested"] = new[] { new Dictionary<string, string> { ["raw"] = ToolBench.Token, [ToolBench.Token] = Convert.ToHexString(Encoding.UTF8.GetBytes(ToolBench.Token)) } },
    });

    private static void AssertHidden(ToolBench bench, ToolResult result)
    {
        var all = bench.Everything(result);
        var bytes = Encoding.UTF8.GetBytes(ToolBench.Token);
        Assert.DoesNotContain(ToolBench.Token, all, StringComparison.Ordinal);
        Assert.DoesNotContain(JsonEncodedText.Encode(ToolBench.Token).Value, all, StringComparison.Ordinal);
        Assert.DoesNotContain(Uri.EscapeDataString(ToolBench.Token), all, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Convert.ToBase64String(bytes)[..20], all, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes("u:" + ToolBench.Token))[4..24], all, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(bytes), all, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("9f+8/e7D", all, StringComparison.Ordinal);

        // Whatever was escaped, and how often: the bare text holds none either.
        var bare = Regex.Replace(all, @"\\+u(?<hex>[0-9A-Fa-f]{4})", match => ((char)Convert.ToInt32(match.Groups["hex"].Value, 16)).ToString(), RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10));
        bare = WebUtility.HtmlDecode(WebUtility.HtmlDecode(Uri.UnescapeDataString(Uri.UnescapeDataString(bare)))).Replace("\\", "", StringComparison.Ordinal);
        Assert.DoesNotContain(ToolBench.Token, bare, StringComparison.Ordinal);
        Assert.DoesNotContain("9f+8/e7D", bare, StringComparison.Ordinal);
    }

    private sealed class Broken : ISecretSource
    {
        public string Place => "a broken place";

        public ValueTask<string?> FindAsync(string name, CancellationToken cancellationToken) => throw new InvalidOperationException("connection failed: password=" + ToolBench.Token);
    }
}
