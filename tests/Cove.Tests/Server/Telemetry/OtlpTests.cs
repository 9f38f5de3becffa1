using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using Cove.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace Cove.Tests.Server.Telemetry;

public sealed class OtlpTests
{
    [Fact]
    public async Task Traces_metrics_and_logs_arrive_at_a_collector()
    {
        await using var collector = await Collector.StartAsync();
        await using var engine = await EngineHarness.StartAsync();
        await using (var server = await TcpServer.StartAsync(options => options with { Otlp = collector.Address }, parts => parts with { Cove = engine.Engine, Census = engine.Engine.Census }))
        {
            var sandbox = (await engine.CreateAsync()).Id;
            var traced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var listener = new ActivityListener
            {
                ShouldListenTo = static source => source.Name == "Cove.Engine",
                ActivityStopped = activity => _ = activity.GetTagItem("cove.sandbox") as string == sandbox.Value && traced.TrySetResult(),
            };
            ActivitySource.AddActivityListener(listener); // behind the server's own, which hears of each end first
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox.Value}/runs") { Content = new StringContent("""{"code": "1"}""", Encoding.UTF8, "application/json") };
            request.Headers.Add("X-Correlation-Id", "correlated-1");
            request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            using var response = await server.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            await response.Content.ReadAsByteArrayAsync();
            await Eventually.Within(traced.Task); // a run's span ends behind what its reader saw of its end
            await server.EndAndReadLogAsync(); // sends what has not been sent
            var trace = Convert.FromHexString("0af7651916cd43dd8448eb211c80319c");

            Assert.True(collector.Has("/v1/traces", "POST /v1/sandboxes/{sandbox}/runs"u8), collector.Describe());
            Assert.True(collector.Has("/v1/traces", "run python"u8));
            Assert.True(collector.Has("/v1/traces", Encoding.UTF8.GetBytes(sandbox.Value)));
            Assert.True(collector.Has("/v1/traces", "correlated-1"u8));
            Assert.True(collector.Has("/v1/traces", "cove.outcome"u8));
            Assert.True(collector.Has("/v1/traces", trace));
            Assert.True(collector.Has("/v1/metrics", "cove.http.requests"u8));
            Assert.True(collector.Has("/v1/metrics", "cove.runs"u8));
            Assert.True(collector.Has("/v1/logs", "correlated-1"u8));
            Assert.True(collector.Has("/v1/logs", trace));
            Assert.All(collector.Types, type => Assert.Equal("application/x-protobuf", type));
        }
    }

    [Fact]
    public async Task A_collector_that_is_not_there_holds_up_no_request()
    {
        await using var server = await TcpServer.StartAsync(options => options with { Otlp = new Uri("http://127.0.0.1:1") });
        Assert.Equal("ok", await server.Http.GetStringAsync("/health"));
    }

    /// <summary>What takes OTLP over HTTP, and remembers it.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly ConcurrentQueue<(string Path, byte[] Body, string? Type)> _received = new();

        private Collector()
        {
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            _app = builder.Build();
            _app.Use(_ => async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                _received.Enqueue((context.Request.Path, body.ToArray(), context.Request.ContentType));
            });
        }

        public Uri Address => new(_app.Urls.Single());

        public IEnumerable<string?> Types => _received.Select(r => r.Type);

        public static async Task<Collector> StartAsync()
        {
            var collector = new Collector();
            await collector._app.StartAsync();
            return collector;
        }

        public bool Has(string path, ReadOnlySpan<byte> bytes)
        {
            foreach (var (at, body, _) in _received)
            {
                if (at == path && body.AsSpan().IndexOf(bytes) >= 0)
                {
                    return true;
                }
            }

            return false;
        }

        public string Describe() => string.Join(", ", _received.Select(r => $"{r.Path}: {r.Body.Length} bytes"));

        public ValueTask DisposeAsync() => _app.DisposeAsync();
    }
}
