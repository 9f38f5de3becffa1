using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Cove.Server.Access;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.Hostile;

/// <summary><c>kill -9</c> of <c>cove serve</c>, and the next one in its place.</summary>
public sealed class KilledServe
{
    [Fact]
    public async Task The_next_server_accounts_for_all_of_it_and_nothing_is_left()
    {
        using var place = new TemporaryDirectory();
        var key = await KeyAsync(Path.Combine(place.Path, "data"));
        string sandbox, gone, made, run;
        IReadOnlyList<HostProcess> before;
        string engine;
        await using (var server = ServeProcess.Start(place.Path))
        {
            using var http = Keyed(await server.AnswersAsync(), key);
            (_, made) = await SendAsync(http, HttpMethod.Post, "/v1/sandboxes", "{}", "once");
            sandbox = Text(made, "id");
            (_, var started) = await SendAsync(http, HttpMethod.Post, $"/v1/sandboxes/{sandbox}/runs?background=true", """{"code":"import time\nprint('begun',flush=True)\ntime.sleep(3600)","timeout_ms":3600000}""");
            run = Text(started, "id");
            using (var stream = await http.GetStreamAsync($"/v1/sandboxes/{sandbox}/runs/{run}/events"))
            {
                using var lines = new StreamReader(stream);
                await lines.ReadLineAsync();
                Assert.Contains("begun", await lines.ReadLineAsync(), StringComparison.Ordinal);
            }

            (_, var other) = await SendAsync(http, HttpMethod.Post, "/v1/sandboxes", "{}");
            gone = Text(other, "id");
            await SendAsync(http, HttpMethod.Delete, "/v1/sandboxes/" + gone);
            before = HostProcesses.Below(server.Id);
            engine = LauncherTree.Of(Path.Combine(place.Path, "state", "cove")).EngineId;
            server.Kill();
            await server.EndAsync();
        }

        ForgetEnd(Path.Combine(place.Path, "data"), gone);
        await Eventually.Holds(() => !before.Any(p => HostProcesses.IsAlive(p.Pid)), "everything below the killed server is dead");
        await using var next = ServeProcess.Start(place.Path);
        using var again = Keyed(await next.AnswersAsync(), key);
        var (_, known) = await SendAsync(again, HttpMethod.Get, "/v1/sandboxes/" + sandbox);
        Assert.Contains("\"end_reason\":\"engine_lost\"", known, StringComparison.Ordinal);
        var (_, deleted) = await SendAsync(again, HttpMethod.Get, "/v1/sandboxes/" + gone);
        Assert.Contains("\"end_reason\":\"deleted\"", deleted, StringComparison.Ordinal);
        var (_, rest) = await SendAsync(again, HttpMethod.Get, $"/v1/sandboxes/{sandbox}/runs/{run}/events?after=2");
        Assert.Contains("\"type\":\"completed\"", Assert.Single(rest.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Contains("engine_lost", rest, StringComparison.Ordinal);
        var (replayed, repeated) = await SendAsync(again, HttpMethod.Post, "/v1/sandboxes", "{}", "once");
        Assert.Equal("true", replayed.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(made, repeated);
        await Eventually.Holds(() => LauncherTree.Groups(engine).Count == 0, "the killed server's control groups are gone");
        Assert.DoesNotContain(await File.ReadAllLinesAsync("/proc/self/mountinfo"), line => line.Contains(place.Path, StringComparison.Ordinal));
        Assert.All(Directory.EnumerateFiles(Path.Combine(place.Path, "data", "journal", "live"), "*", SearchOption.AllDirectories), spare => Assert.Equal(0, new FileInfo(spare).Length));
        next.Signal(PosixSignal.SIGTERM);
        await next.EndAsync();
        await using var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Path.Combine(place.Path, "data") }, NullLogger.Instance);
        var row = Assert.Single(await state.Runs.ListAsync(new SandboxId(sandbox)));
        Assert.Equal((run, "default", "code", RunOutcome.InfrastructureFailure), (row.Id.Value, row.Project, row.Kind, row.Outcome));
        Assert.Equal(3, (await state.Audit.ListAsync(100)).Count(action => action is { Operation: "createSandbox", Status: 201 })); // two, and the one that was repeated
    }

    /// <summary>As if the kill had come before the end was written down, which may or may not have been so. The row itself may not be there yet.</summary>
    private static void ForgetEnd(string data, string sandbox)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(data, StateOptions.SqliteFile), Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "UPDATE sandboxes SET ended_at = NULL, end_reason = NULL WHERE id = @id";
        command.Parameters.AddWithValue("@id", sandbox);
        Assert.InRange(command.ExecuteNonQuery(), 0, 1);
    }

    private static async Task<string> KeyAsync(string data)
    {
        await using var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = data }, NullLogger.Instance);
        return (await new KeyDesk(state.Keys, state.Time).CreateAsync(new KeyRequest { Name = "test" })).Key.Text;
    }

    private static HttpClient Keyed(HttpClient http, string key)
    {
        http.DefaultRequestHeaders.Add("X-API-Key", key);
        return http;
    }

    private static async Task<(HttpResponseMessage Answer, string Body)> SendAsync(HttpClient http, HttpMethod method, string path, string? body = null, string? once = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        if (once is not null)
        {
            request.Headers.Add("Idempotency-Key", once);
        }

        var answer = await http.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return (answer, await answer.Content.ReadAsStringAsync());
    }

    private static string Text(string json, string name) => System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty(name).GetString()!;
}
