using System.Net;
using System.Text;
using Cove.Server.Hosting;
using Cove.Server.Frontends.Native;
using Cove.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cove.Tests.Server.Hosting;

public sealed class DrainTests
{
    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    [Fact]
    public async Task A_server_that_stops_begins_nothing_new_and_lets_runs_end()
    {
        await using var server = await TcpServer.StartAsync();
        var finish = new TaskCompletionSource();
        server.Cove.Run = async run =>
        {
            run.Print("begun");
            await finish.Task;
            run.Print("ended");
        };
        var sandbox = await server.SandboxAsync();
        using var running = await server.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox.Value}/runs") { Content = Json("""{"code": "1"}""") }, HttpCompletionOption.ResponseHeadersRead);

        var draining = server.Server.DrainAsync("test", CancellationToken.None);
        using var ready = await server.Http.GetAsync("/readyz");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "stopping"), (ready.StatusCode, await ready.Content.ReadAsStringAsync()));
        foreach (var path in new[] { "/v1/sandboxes", $"/v1/sandboxes/{sandbox.Value}/runs" })
        {
            using var refused = await server.Http.PostAsync(path, Json("""{"code": "1"}"""));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter?.Delta);
            Assert.Contains("server_stopping", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.True(refused.Headers.ConnectionClose);
        }

        // What looks and what ends things goes on.
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/v1/sandboxes")).StatusCode);
        Assert.Equal("ok", await server.Http.GetStringAsync("/health"));
        Assert.False(draining.IsCompleted);
        finish.SetResult();
        await Eventually.Within(draining);
        var stream = await running.Content.ReadAsStringAsync();
        Assert.Contains("ended", stream, StringComparison.Ordinal);
        Assert.Contains("\"outcome\":\"ok\"", stream, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_its_time_is_over_or_it_is_hurried_runs_are_killed_and_their_streams_say_so(bool hurried)
    {
        await using var engine = await EngineHarness.StartAsync(new FakeBackend { Script = cell => cell.OnExecute = async run => await new TaskCompletionSource().Task });
        await using var server = await TcpServer.StartAsync(
            options => options with { DrainTime = hurried ? TimeSpan.FromHours(1) : TimeSpan.Zero },
            parts => parts with { Cove = engine.Engine, Census = engine.Engine.Census });
        var sandbox = (await engine.CreateAsync()).Id;
        using var running = await server.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox.Value}/runs") { Content = Json("""{"code": "1"}""") }, HttpCompletionOption.ResponseHeadersRead);

        using var hurry = new CancellationTokenSource();
        var draining = server.Server.DrainAsync("test", hurry.Token);
        if (hurried)
        {
            await hurry.CancelAsync();
        }

        await Eventually.Within(draining);
        var last = (await running.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Contains("\"type\":\"completed\"", last, StringComparison.Ordinal);
        Assert.Contains("\"outcome\":\"killed\"", last, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_only_listens_does_not_hold_up_the_end()
    {
        var life = new ServerLife();
        Assert.Null(life.Enter(new Operation("watch", "Watches.") { Needs = Scopes.Read, Endless = true }));
        using var other = life.Enter(new Operation("read", "Reads.") { Needs = Scopes.Read });
        var drained = life.DrainAsync();
        Assert.False(drained.IsCompleted);
        other!.Dispose();
        Assert.True(drained.IsCompleted);
    }

    [Fact]
    public async Task Every_operation_that_begins_something_says_so()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        await using var app = builder.Build();
        new Routes(app, new ServerLife()).MapNative();
        var operations = ((IEndpointRouteBuilder)app).DataSources.SelectMany(d => d.Endpoints).Select(e => e.Metadata.GetRequiredMetadata<Operation>()).ToArray();
        string[] verbs = ["createSandbox", "run", "start", "open", "execute"];
        var begin = operations.Where(o => verbs.Any(verb => o.Id.StartsWith(verb, StringComparison.Ordinal))).ToArray();
        Assert.NotEmpty(begin);
        Assert.All(begin, o => Assert.True(o.Starts, $"{o.Id} begins something: a server that is stopping must refuse it (Starts = true)."));
    }
}
