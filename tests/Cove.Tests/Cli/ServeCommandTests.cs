using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Cli;

/// <summary><c>cove serve</c> as its users start it, with a real engine.</summary>
public sealed class ServeCommandTests
{
    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    [Fact]
    public async Task It_serves_runs_drains_on_sigterm_while_one_streams_and_leaves_nothing()
    {
        await using var server = ServeProcess.Start(null, "--allow-anonymous");
        using var http = await server.AnswersAsync();
        using var made = await http.PostAsync("/v1/sandboxes", Json("{}"));
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var sandbox = JsonDocument.Parse(await made.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString();

        // The run ends when a file appears: the test decides when, not a clock.
        var code = JsonSerializer.Serialize("import os,time\nprint('begun',flush=True)\nwhile not os.path.exists('/workspace/go'): time.sleep(0.01)\nprint('ended')");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox}/runs") { Content = Json($$"""{"code": {{code}}}""") };
        request.Headers.Add("X-Correlation-Id", "drained-1");
        using var running = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var stream = new StreamReader(await running.Content.ReadAsStreamAsync());
        Assert.Contains("\"correlation_id\":\"drained-1\"", await stream.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Contains("begun", await stream.ReadLineAsync(), StringComparison.Ordinal);

        server.Signal(PosixSignal.SIGTERM);
        await Eventually.Holds(() => server.Log.Any(line => line.Contains("\"event_id\":211", StringComparison.Ordinal)), "the server says that it stops");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/readyz")).StatusCode);
        using var refused = await http.PostAsync("/v1/sandboxes", Json("{}"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        (await http.PutAsync($"/v1/sandboxes/{sandbox}/files/content?path=/workspace/go", new ByteArrayContent([]))).Dispose();

        var rest = await stream.ReadToEndAsync();
        Assert.Contains("ended", rest, StringComparison.Ordinal);
        Assert.Contains("\"outcome\":\"ok\"", rest, StringComparison.Ordinal);
        Assert.Equal(0, await server.EndAsync());
        CheckLog(server.Log);
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once_and_the_stream_says_how_the_run_ended()
    {
        await using var server = ServeProcess.Start(null, "--allow-anonymous", "--drain-seconds", "3600");
        using var http = await server.AnswersAsync();
        using var made = await http.PostAsync("/v1/sandboxes", Json("{}"));
        var sandbox = JsonDocument.Parse(await made.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString();
        using var running = await http.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox}/runs") { Content = Json("""{"code": "import time\nprint(1,flush=True)\ntime.sleep(3600)", "timeout_ms": 3600000}""") }, HttpCompletionOption.ResponseHeadersRead);
        server.Signal(PosixSignal.SIGINT);
        await Eventually.Holds(() => server.Log.Any(line => line.Contains("\"event_id\":211", StringComparison.Ordinal)), "the server says that it stops");
        server.Signal(PosixSignal.SIGINT);
        Assert.Contains("\"type\":\"completed\"", (await running.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1], StringComparison.Ordinal);
        Assert.Equal(0, await server.EndAsync());
    }

    [Fact]
    public async Task One_data_directory_is_one_servers_and_the_next_one_finds_it_usable()
    {
        using var place = new TemporaryDirectory();
        await using (var first = ServeProcess.Start(place.Path))
        {
            using var http = await first.AnswersAsync();
            await using var second = ServeProcess.Start(place.Path);
            Assert.NotEqual(0, await second.EndAsync());
            Assert.Contains("Another server works with the data directory", await second.Errors, StringComparison.Ordinal);
            first.Kill();
            await first.EndAsync();
        }

        await using var next = ServeProcess.Start(place.Path);
        using var again = await next.AnswersAsync();
        var data = global::Cove.Cli.Libc.Stat(Path.Combine(place.Path, "data"))!.Value;
        Assert.Equal(0u, data.Mode & 0x3F); // nobody else may look
        Assert.Equal(LiveEngine.Privilege == "root", data.User != global::Cove.Cli.Libc.EffectiveUser()); // root's server became another user, who owns it
        next.Signal(PosixSignal.SIGTERM);
        Assert.Equal(0, await next.EndAsync());
    }

    [Fact]
    public async Task A_data_directory_that_the_service_user_cannot_reach_is_refused()
    {
        Assert.SkipUnless(LiveEngine.Privilege == "root", "Only root's server becomes another user.");
        await using var server = ServeProcess.Start();
        File.SetUnixFileMode(server.Place, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.NotEqual(0, await server.EndAsync());
        Assert.Contains("lets no other user through", await server.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Root_follows_no_link_and_hands_on_nothing_of_another_users(bool link)
    {
        Assert.SkipUnless(LiveEngine.Privilege == "root", "Only root's server could be led to what is another's.");
        using var place = new TemporaryDirectory();
        var data = Directory.CreateDirectory(Path.Combine(place.Path, "data"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        var target = Path.Combine(place.Path, "target");
        if (link)
        {
            File.CreateSymbolicLink(Path.Combine(data, "server.lock"), target);
        }
        else
        {
            await File.WriteAllTextAsync(Path.Combine(data, "file"), "");
            Assert.Equal(0, global::Cove.Cli.Libc.ChangeOwner(global::Cove.Cli.Libc.AtCwd, Path.Combine(data, "file"), 12345, 12345, 0));
        }

        await using var server = ServeProcess.Start(place.Path);
        Assert.NotEqual(0, await server.EndAsync());
        Assert.Contains("no file or directory of this server's", await server.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(target));
    }

    [Theory]
    [InlineData("--allow-anonymous", "nonsense")]
    [InlineData("--max-sandboxes", "0")]
    [InlineData("--log-level", "loud")]
    public async Task A_bad_option_is_refused_before_anything_starts(string flag, string value)
    {
        await using var server = ServeProcess.Start(null, flag, value);
        Assert.Equal(2, await server.EndAsync());
        Assert.Contains($"'{value}', which is not acceptable", await server.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(server.Place, "data")));
    }

    [Fact]
    public async Task What_others_can_reach_is_refused_before_anything_starts()
    {
        await using var server = ServeProcess.Start(null, "--urls", "http://0.0.0.0:1");
        Assert.Equal(2, await server.EndAsync());
        Assert.Contains("http://0.0.0.0:1", await server.Errors, StringComparison.Ordinal);
        Assert.Contains("cove keys create", await server.Errors, StringComparison.Ordinal);
        Assert.Empty(server.Log);
    }

    private static void CheckLog(IEnumerable<string> log)
    {
        var lines = log.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.All(lines, line =>
        {
            Assert.Contains(line.GetProperty("severity").GetString(), new[] { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL" });
            Assert.NotEmpty(line.GetProperty("message").GetString()!);
            Assert.EndsWith("Z", line.GetProperty("time").GetString(), StringComparison.Ordinal);
        });
        var run = lines.Single(line => line.TryGetProperty("correlation_id", out var id) && id.GetString() == "drained-1" && line.GetProperty("event_id").GetInt32() == 220);
        Assert.Matches("^[0-9a-f]{32}$", run.GetProperty("logging.googleapis.com/trace").GetString());
        Assert.Contains("POST /v1/sandboxes/{sandbox}/runs 200", run.GetProperty("message").GetString(), StringComparison.Ordinal);
    }
}
