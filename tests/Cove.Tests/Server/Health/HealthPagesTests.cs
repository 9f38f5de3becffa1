using System.Net;
using System.Text.Json;
using Cove.Server.Health;
using Cove.Server.Hosting;
using Cove.Server.Settings;
using Cove.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Cove.Tests.Server.Health;

public sealed class HealthPagesTests
{
    [Theory]
    [InlineData("/health")]
    [InlineData("/healthz")]
    public async Task The_answer_is_ok_and_nothing_else(string path)
    {
        await using var server = await TcpServer.StartAsync();
        using var response = await server.Http.GetAsync(path);
        Assert.Equal((HttpStatusCode.OK, "ok", "text/plain"), (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType?.MediaType));
        using var head = await server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        Assert.Equal((HttpStatusCode.OK, 2L, 0), (head.StatusCode, head.Content.Headers.ContentLength!.Value, (await head.Content.ReadAsByteArrayAsync()).Length));
        using var post = await server.Http.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    [Fact]
    public async Task Details_hold_no_secret_nor_its_length()
    {
        const string secret = "Host=db;Password=hunter2hunter2";
        await using var server = await TcpServer.StartAsync(options => options with { Database = secret });
        var text = await server.Http.GetStringAsync("/health?verbose=true");
        var details = JsonDocument.Parse(text).RootElement;
        Assert.Equal("1.2.3", details.GetProperty("version").GetString());
        Assert.Equal("ready", details.GetProperty("status").GetString());
        Assert.Equal("fake", details.GetProperty("isolation").GetProperty("backend").GetString());
        Assert.True(details.GetProperty("data_free_bytes").GetInt64() > 0);
        Assert.Equal(
            ["status", "version", "uptime_seconds", "requests", "isolation", "sandboxes", "runs", "pool", "data_free_bytes", "data_total_bytes"],
            details.EnumerateObject().Select(p => p.Name)); // whatever is added here is looked at for what it gives away
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Not_ready_says_why_and_health_stays_ok()
    {
        string? fault = null;
        await using var server = await TcpServer.StartAsync(parts: parts => parts with { Checks = [new HealthCheck("database", _ => ValueTask.FromResult(fault))] });
        Assert.Equal("ready", await server.Http.GetStringAsync("/readyz"));
        fault = "does not answer";
        using var response = await server.Http.GetAsync("/readyz");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "database: does not answer"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal("ok", await server.Http.GetStringAsync("/health"));
        var details = JsonDocument.Parse(await server.Http.GetStringAsync("/health?verbose=true")).RootElement;
        Assert.Equal(("not_ready", "does not answer"), (details.GetProperty("status").GetString(), details.GetProperty("database").GetString()));
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/health?verbose=true")]
    [InlineData("/healthz?verbose=true")]
    public async Task Details_that_a_proxy_asks_for_need_a_key(string path)
    {
        await using var server = await TcpServer.StartAsync(parts: parts => parts with { UseAccess = RefuseAll });
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync(path)).StatusCode);
        foreach (var header in new[] { "X-Forwarded-For", "Forwarded", "Via", "X-Real-IP" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation(header, "1.1 203.0.113.9");
            Assert.Equal(HttpStatusCode.Unauthorized, (await server.Http.SendAsync(request)).StatusCode);
        }
    }

    [Fact]
    public async Task A_server_that_others_can_reach_shows_details_to_keys_only()
    {
        // It never listens there: what is asked of the options is enough, and the first address is on loopback.
        var metrics = new global::Cove.Server.Telemetry.Prometheus();
        var pages = new HealthPages(null!, metrics, isLoopbackOnly: false);
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        context.Request.Method = "GET";
        context.Request.Path = "/metrics";
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        var passedOn = false;
        await pages.InvokeAsync(context, _ =>
        {
            passedOn = true;
            return Task.CompletedTask;
        });
        Assert.True(passedOn);
        Assert.False(new ServerOptions { DataDirectory = "/", Urls = [ListenUrl.Default, ListenUrl.TryParse("http://0.0.0.0:1")!] }.IsLoopbackOnly);
        metrics.Dispose();
    }

    private static void RefuseAll(IApplicationBuilder app) => app.Use(next => context =>
        Problems.WriteAsync(context, Problems.Request("no_key", "No key.", "Give one."), 401));
}
