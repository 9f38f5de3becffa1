using System.Text;
using System.Text.Json;
using Cove.Server.Logs;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cove.Tests.Server.Logs;

public sealed class ServerLogTests
{
    private const string Forged = "one\ntwo\r{\"severity\":\"CRITICAL\"}\u001b[2J\u0085\u2028end";

    [Fact]
    public async Task A_json_line_has_the_fields_cloud_logging_reads()
    {
        var line = JsonDocument.Parse(Assert.Single(await LogAsync(new JsonLines("my-project"), log => log.LogWarning(new EventId(42), new InvalidOperationException("broken"), "said")))).RootElement;
        Assert.Equal("WARNING", line.GetProperty("severity").GetString());
        Assert.Equal("said", line.GetProperty("message").GetString());
        Assert.Equal("2026-01-01T00:00:00.000000Z", line.GetProperty("time").GetString());
        Assert.Equal(("Cove.Test", 42), (line.GetProperty("category").GetString(), line.GetProperty("event_id").GetInt32()));
        Assert.Contains("broken", line.GetProperty("exception").GetString(), StringComparison.Ordinal);
        Assert.False(line.TryGetProperty("correlation_id", out _)); // outside of requests there is none
    }

    [Theory]
    [InlineData(0L, "0001-01-01T00:00:00.000000Z")]
    [InlineData(639_029_087_991_234_567L, "2026-01-01T23:59:59.123456Z")]
    [InlineData(639_029_087_999_999_999L, "2026-01-01T23:59:59.999999Z")]
    [InlineData(3_155_378_975_999_999_999L, "9999-12-31T23:59:59.999999Z")]
    public void A_lines_time_is_in_whole_microseconds(long ticks, string time)
    {
        var at = new DateTimeOffset(ticks, TimeSpan.Zero);
        Assert.Equal(at.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture), time);
        var line = new JsonLines(null).Format(new LogLine(at, LogLevel.Information, "c", default, "m", null));
        Assert.Equal(time, JsonDocument.Parse(line).RootElement.GetProperty("time").GetString());
    }

    [Theory]
    [InlineData(LogLevel.Debug, "DEBUG")]
    [InlineData(LogLevel.Information, "INFO")]
    [InlineData(LogLevel.Warning, "WARNING")]
    [InlineData(LogLevel.Error, "ERROR")]
    [InlineData(LogLevel.Critical, "CRITICAL")]
    public void Severities_have_cloud_loggings_names(LogLevel level, string name) =>
        Assert.Contains($"\"severity\":\"{name}\"", Encoding.UTF8.GetString(new JsonLines(null).Format(new LogLine(default, level, "c", default, "m", null))), StringComparison.Ordinal);

    [Fact]
    public void A_project_turns_trace_ids_into_names_that_cloud_logging_follows()
    {
        using var activity = new System.Diagnostics.Activity("test").SetIdFormat(System.Diagnostics.ActivityIdFormat.W3C).Start();
        var line = new LogLine(default, LogLevel.Information, "c", default, "m", null);
        Assert.Contains($"\"projects/my-project/traces/{activity.TraceId}\"", Encoding.UTF8.GetString(new JsonLines("my-project").Format(line)), StringComparison.Ordinal);
        Assert.Contains($"\"logging.googleapis.com/trace\":\"{activity.TraceId}\"", Encoding.UTF8.GetString(new JsonLines(null).Format(line)), StringComparison.Ordinal);
        Assert.Contains($"\"logging.googleapis.com/spanId\":\"{activity.SpanId}\"", Encoding.UTF8.GetString(new JsonLines(null).Format(line)), StringComparison.Ordinal);
    }

    [Fact]
    public void No_message_can_look_like_another_line()
    {
        var failure = new InvalidOperationException(Forged);
        var line = new LogLine(default, LogLevel.Information, "c", default, Forged, failure);
        var json = Encoding.UTF8.GetString(new JsonLines(null).Format(line));
        Assert.DoesNotContain(json[..^1], char.IsControl);
        Assert.Equal(Forged, JsonDocument.Parse(json).RootElement.GetProperty("message").GetString());

        var text = Encoding.UTF8.GetString(new TextLines().Format(line));
        Assert.DoesNotContain(text.Replace("\n", ""), char.IsControl);
        Assert.All(text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1), part => Assert.StartsWith("    | ", part, StringComparison.Ordinal));
    }

    [Fact]
    public void An_endless_message_is_cut()
    {
        var json = new JsonLines(null).Format(new LogLine(default, LogLevel.Information, "c", default, new string('x', 1 << 20), null));
        Assert.InRange(json.Length, LogLine.MaximumCharacters, LogLine.MaximumCharacters + 1000);
    }

    [Fact]
    public async Task Levels_below_the_chosen_one_and_the_web_servers_chatter_are_left_out()
    {
        var output = new MemoryStream();
        await using (var log = new ServerLog(output, new TextLines(), LogLevel.Warning, TimeProvider.System))
        {
            log.CreateLogger("Cove.A").LogInformation("quiet1");
            log.CreateLogger("Cove.A").LogWarning("loud1");
            log.CreateLogger("Microsoft.AspNetCore.Server.Kestrel").LogInformation("quiet2");
            log.CreateLogger("Microsoft.AspNetCore.Server.Kestrel").LogError("loud2");
        }

        var text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Equal((true, true, false), (text.Contains("loud1", StringComparison.Ordinal), text.Contains("loud2", StringComparison.Ordinal), text.Contains("quiet", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_reader_that_stops_reading_holds_up_nobody_and_is_told_what_it_missed()
    {
        var output = new Stuck();
        var log = new ServerLog(output, new JsonLines(null), LogLevel.Information, TimeProvider.System);
        var logger = log.CreateLogger("Cove.Test");
        logger.LogInformation("first");
        await Eventually.Within(output.Reached); // the writer is stuck from here on
        const int more = 500;
        for (var i = 0; i < ServerLog.Room + more; i++)
        {
            logger.LogInformation("line"); // returns, or this test never ends
        }

        output.Release();
        await log.DisposeAsync();
        Assert.Contains($"{more} log lines were dropped", Encoding.UTF8.GetString(output.Written.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_secret_of_a_request_reaches_the_log()
    {
        await using var server = await TcpServer.StartAsync();
        server.Cove.Run = _ => throw FakeCove.Error("made_up", ErrorCategory.Infrastructure);
        var sandbox = await server.SandboxAsync();
        foreach (var path in new[] { $"/v1/sandboxes/{sandbox.Value}/runs?key=s3cretquery", "/nowhere/s3cretpath?x=s3cretquery", "/v1/sandboxes?token=s3cretquery" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new StringContent("""{"shell_line": "echo s3cretcode", "environment": {"TOKEN": "s3cretenv"}}""", Encoding.UTF8, "application/json"),
            };
            request.Headers.Add("X-API-Key", "cove_s3cretkey");
            request.Headers.Add("Authorization", "Bearer s3cretbearer");
            request.Headers.Add("Cookie", "a=s3cretcookie");
            (await server.Http.SendAsync(request)).Dispose();
        }

        var log = await server.EndAndReadLogAsync();
        Assert.True(log.Count >= 4); // each request is there
        Assert.All(log, line => Assert.DoesNotContain("s3cret", line, StringComparison.Ordinal));
    }

    private static async Task<string[]> LogAsync(ILogFormat format, Action<ILogger> say)
    {
        var output = new MemoryStream();
        await using (var log = new ServerLog(output, format, LogLevel.Information, new FakeTimeProvider()))
        {
            say(log.CreateLogger("Cove.Test"));
        }

        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A pipe that nobody reads until it is released.</summary>
    private sealed class Stuck : MemoryStream
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public MemoryStream Written { get; } = new();

        public void Release() => _released.SetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _reached.TrySetResult();
            await _released.Task;
            Written.Write(buffer.Span);
        }
    }
}
