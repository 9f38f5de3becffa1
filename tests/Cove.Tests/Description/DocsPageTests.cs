using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Cove.Server.Hosting;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Description;

public sealed partial class DocsPageTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new();
    private FrontDoor _server = null!;

    public async ValueTask InitializeAsync() => _server = await FrontDoor.StartAsync(_cove);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_page_needs_nothing_but_this_server()
    {
        var pages = new Queue<string>(["/docs"]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (pages.TryDequeue(out var path))
        {
            Assert.StartsWith("/", path, StringComparison.Ordinal);
            if (!seen.Add(path))
            {
                continue;
            }

            using var response = await _server.Http.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            var text = await response.Content.ReadAsStringAsync();
            if (response.Content.Headers.ContentType!.MediaType == "text/html")
            {
                Assert.DoesNotMatch(Inline(), text);
                foreach (var link in Link().Matches(text).Select(m => m.Groups["target"].Value))
                {
                    pages.Enqueue(link);
                }
            }
        }

        Assert.Equal(["/docs", "/docs/docs.css", "/docs/docs.js", "/openapi.json"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_script_is_one_and_writes_no_markup()
    {
        var script = await _server.Http.GetStringAsync("/docs/docs.js");
        Assert.DoesNotMatch("innerHTML|outerHTML|insertAdjacent|document\\.write|eval\\(|https?://", script);
        Assert.SkipUnless(File.Exists("/usr/bin/node"), "There is no /usr/bin/node to read the script with.");
        using var node = Process.Start(new ProcessStartInfo("/usr/bin/node", ["--check", "-"]) { RedirectStandardInput = true, RedirectStandardError = true, UseShellExecute = false })!;
        await node.StandardInput.WriteAsync(script);
        node.StandardInput.Close();
        var errors = await node.StandardError.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, errors);
    }

    [Fact]
    public async Task Every_operation_is_shown_when_the_script_runs()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/node"), "There is no /usr/bin/node to run the script with.");
        var harness = Path.Combine(SourceTree.Root, "tests", "Cove.Tests", "Description", "docs-harness.js");
        using var node = Process.Start(new ProcessStartInfo("/usr/bin/node", [harness, _server.Address.ToString()]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var output = node.StandardOutput.ReadToEndAsync();
        var errors = node.StandardError.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, await errors);
        foreach (var endpoint in FrontDoor.Endpoints())
        {
            Assert.Contains(endpoint.Metadata.GetMetadata<Operation>()!.Summary, await output, StringComparison.Ordinal);
        }

        Assert.Contains("GET sent: 200", await output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("own", "same-origin", HttpStatusCode.OK)]
    [InlineData("own", null, HttpStatusCode.OK)]
    [InlineData("own", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("own", "same-site", HttpStatusCode.Forbidden)]
    [InlineData("https://own", "same-origin", HttpStatusCode.Forbidden)]
    [InlineData("http://127.0.0.1:1", "same-origin", HttpStatusCode.Forbidden)]
    [InlineData("http://evil.example", null, HttpStatusCode.Forbidden)]
    [InlineData("null", "same-origin", HttpStatusCode.Forbidden)]
    [InlineData("own, own", "same-origin", HttpStatusCode.Forbidden)]
    [InlineData("", "same-origin", HttpStatusCode.Forbidden)]
    public async Task The_page_may_ask_its_own_server_and_no_other_page_may(string origin, string? site, HttpStatusCode status)
    {
        var own = $"http://127.0.0.1:{_server.Address.Port}";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/execute") { Content = new StringContent("""{"code":"1"}""", Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Origin", origin.Replace("https://own", "https" + own[4..], StringComparison.Ordinal).Replace("own", own, StringComparison.Ordinal));
        if (site is not null)
        {
            request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", site);
        }

        using var response = await _server.Http.SendAsync(request);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(status == HttpStatusCode.OK, _cove.LastRun is not null);
        Assert.DoesNotContain(response.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_page_whose_host_is_none_of_this_servers_is_refused_though_its_origin_matches()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/sandboxes");
        request.Headers.Host = "rebound.example";
        request.Headers.TryAddWithoutValidation("Origin", "http://rebound.example");
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, response.StatusCode);
    }

    [GeneratedRegex("(src|href)=\"(?<target>[^\"]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Link();

    /// <summary>What the policy would block: a script or style in the page, or a handler on an element.</summary>
    [GeneratedRegex("<style|<script>|style=|\\son[a-z]+=", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Inline();
}
