using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Cove.Server.Telemetry;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Telemetry;

public sealed partial class MetricsTests
{
    [Fact]
    public async Task Requests_are_counted_and_timed_by_route_pattern_never_by_path()
    {
        await using var server = await TcpServer.StartAsync();
        var sandbox = await server.SandboxAsync();
        for (var i = 0; i < 3; i++)
        {
            (await server.Http.GetAsync($"/v1/sandboxes/{sandbox.Value}")).Dispose();
        }

        (await server.Http.GetAsync("/v1/sandboxes/unknown1")).Dispose();
        (await server.Http.GetAsync("/secret-path-1234?token=abcd")).Dispose();
        (await server.Http.SendAsync(new HttpRequestMessage(new HttpMethod("INVENTED"), "/x"))).Dispose();
        var samples = Parse(await server.Http.GetStringAsync("/metrics"));

        Assert.Equal(3, samples["""cove_http_requests_total{method="GET",route="/v1/sandboxes/{sandbox}",status="200"}"""]);
        Assert.Equal(1, samples["""cove_http_requests_total{method="GET",route="/v1/sandboxes/{sandbox}",status="404"}"""]);
        Assert.Equal(1, samples["""cove_http_requests_total{method="GET",route="none",status="404"}"""]);
        Assert.Equal(1, samples["""cove_http_requests_total{method="other",route="none",status="404"}"""]);
        Assert.Equal(4, samples["""cove_http_request_duration_seconds_count{route="/v1/sandboxes/{sandbox}"}"""]);
        Assert.Equal(4, samples["""cove_http_request_duration_seconds_bucket{route="/v1/sandboxes/{sandbox}",le="+Inf"}"""]);
        Assert.Equal(1, samples["cove_http_active_requests"]);
        Assert.DoesNotContain(samples.Keys, key => key.Contains("secret", StringComparison.Ordinal) || key.Contains(sandbox.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_engines_sandboxes_runs_and_pool_are_in_the_metrics()
    {
        await using var engine = await EngineHarness.StartAsync();
        await using var server = await TcpServer.StartAsync(parts: parts => parts with { Cove = engine.Engine, Census = engine.Engine.Census });
        var before = Parse(await server.Http.GetStringAsync("/metrics"));
        var sandbox = (await engine.CreateAsync()).Id;
        await engine.ResultAsync(sandbox, "1");
        await Eventually.Holds(() => engine.Engine.Census().Parked.Values.Sum() == 1, "the pool is full again");
        var after = Parse(await server.Http.GetStringAsync("/metrics"));

        Assert.Equal(1, after["""cove_sandboxes{state="ready"}"""]);
        Assert.Equal(0, after["cove_runs_active"]);
        Assert.Equal(1, after["""cove_pool_parked{template="python-data"}"""]);

        // These are the process's: other tests may count beside this one.
        Assert.True(Grown("""cove_runs_total{outcome="ok",kind="python"}""") >= 1);
        Assert.True(Grown("""cove_run_duration_seconds_count{kind="python"}""") >= 1);
        Assert.True(Grown("""cove_sandbox_creation_duration_seconds_count{template="python-data"}""") >= 1);
        Assert.True(Grown("""cove_pool_claims_total{template="python-data",result="hit"}""") + Grown("""cove_pool_claims_total{template="python-data",result="miss"}""") >= 1);
        double Grown(string name) => after.GetValueOrDefault(name) - before.GetValueOrDefault(name);
    }

    [Fact]
    public void Series_are_told_apart_by_their_tags_up_to_a_bound_and_gauges_are_forgotten_with_it()
    {
        using var meter = new Meter("test");
        var counter = new MetricFamily(meter.CreateCounter<long>("made.up"));
        var gauge = new MetricFamily(meter.CreateObservableGauge("level", () => 1));
        for (var i = 0; i < 2; i++)
        {
            counter.Record(1, [new("method", "GET"), new("status", 200)]);
            counter.Record(1, [new("method", "GET"), new("status", 404)]);
            counter.Record(1, [new("method", "GET")]);
        }

        Assert.Equal(
            "# HELP made_up_total \n# TYPE made_up_total counter\nmade_up_total{method=\"GET\",status=\"200\"} 2\nmade_up_total{method=\"GET\",status=\"404\"} 2\nmade_up_total{method=\"GET\"} 2\n",
            Text(counter));
        for (var i = 0; i < MetricFamily.MaximumSeries + 2; i++)
        {
            gauge.Record(i, [new("of", i)]);
        }

        Assert.Equal(MetricFamily.MaximumSeries + 1, Regex.Count(Text(gauge), "^level", RegexOptions.Multiline, TimeSpan.FromSeconds(10)));
        Assert.Contains($"level{{overflow=\"other\"}} {MetricFamily.MaximumSeries + 1}\n", Text(gauge), StringComparison.Ordinal);
        gauge.ForgetGauges();
        Assert.DoesNotContain("\nlevel", Text(gauge), StringComparison.Ordinal);

        static string Text(MetricFamily family)
        {
            var text = new StringBuilder();
            family.Write(text);
            return text.ToString();
        }
    }

    [Fact]
    public async Task A_head_has_the_headers_and_no_body()
    {
        await using var server = await TcpServer.StartAsync();
        using var head = await server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/metrics"));
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", head.Content.Headers.ContentType?.ToString());
        Assert.True(head.Content.Headers.ContentLength > 0);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    /// <summary>Strict: every line is a comment of its two kinds or a sample; a family's type comes before its samples; buckets never fall.</summary>
    private static Dictionary<string, double> Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var samples = new Dictionary<string, double>();
        var types = new HashSet<string>();
        var last = (Series: "", Value: 0.0);
        foreach (var line in text.Split('\n')[..^1])
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                Assert.True(types.Add(line.Split(' ')[2]), line);
                continue;
            }

            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                continue;
            }

            var match = Sample().Match(line);
            Assert.True(match.Success, line);
            var name = match.Groups["name"].Value;
            Assert.Contains(types, type => name == type || name == type + "_bucket" || name == type + "_sum" || name == type + "_count");
            var value = double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture);
            Assert.True(samples.TryAdd(line[..line.LastIndexOf(' ')], value), line);
            var series = name.EndsWith("_bucket", StringComparison.Ordinal) ? line[..line.IndexOf("le=", StringComparison.Ordinal)] : "";
            Assert.True(series.Length == 0 || series != last.Series || value >= last.Value, line);
            last = (series, value);
        }

        return samples;
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})? (?<value>[0-9.eE+-]+|\+Inf)$""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Sample();
}
