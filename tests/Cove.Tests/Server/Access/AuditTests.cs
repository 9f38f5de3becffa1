using Cove.Server.Hosting;
using Cove.Server.State;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Access;

/// <summary>Who did what is on record, and nothing that is nobody's business.</summary>
public sealed class AuditTests
{
    [Fact]
    public async Task Changes_and_refusals_are_noted_with_who_what_and_how_it_ended()
    {
        var cove = new FakeCove();
        await using var server = await AccessServer.StartAsync(cove);
        var key = await server.KeyAsync("alpha");
        var sandbox = await server.SandboxAsync(key);
        using var run = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox.Value}/runs", key, """{"code":"password = 'hunter2'"}""", ("X-Correlation-Id", "order-17"));
        await run.Content.ReadAsStringAsync();
        using var foreign = await server.SendAsync("DELETE", $"/v1/sandboxes/{sandbox.Value}", await server.KeyAsync("beta"));
        using var reads = await server.SendAsync("GET", "/v1/sandboxes", key);
        using var scope = await server.SendAsync("POST", "/v1/sandboxes", await server.KeyAsync("alpha", Scopes.Read), "{}");
        using var bad = await server.SendAsync("GET", "/v1/sandboxes", "cove_hunter3");

        var rows = await RowsAsync(server, 5);
        Assert.Equal(["createSandbox", "run", "deleteSandbox", "createSandbox", "authenticate"], rows.Select(r => r.Operation));
        Assert.Equal([201, 200, 404, 403, 401], rows.Select(r => r.Status));
        Assert.Equal([null, "ok", "sandbox_not_found", "scope_missing", "malformed"], rows.Select(r => r.Outcome));
        Assert.Equal(["alpha", "alpha", "beta", "alpha", null], rows.Select(r => r.Project));
        Assert.Equal(("alpha's", key.Substring(5, 8), "127.0.0.1", sandbox.Value, "order-17"), (rows[1].KeyName!, rows[1].Key!, rows[1].Remote!, rows[1].Sandbox!, rows[1].Correlation!));
        Assert.NotNull(rows[1].Run);
        Assert.DoesNotContain(rows, row => row.ToString().Contains("hunter", StringComparison.Ordinal) || row.ToString().Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_wrong_with_a_creation_is_noted_also_where_its_answer_is_kept()
    {
        await using var server = await AccessServer.StartAsync(new FakeCove());
        var key = await server.KeyAsync();
        foreach (var body in new[] { """{"cpus":1}""", """{"cpus":1}""", "{}" })
        {
            using var response = await server.SendAsync("POST", "/v1/sandboxes", key, body, ("Idempotency-Key", "one"));
        }

        var rows = await RowsAsync(server, 3);
        Assert.Equal([400, 400, 422], rows.Select(r => r.Status));
        Assert.Equal(["bad_json", null, "idempotency_mismatch"], rows.Select(r => r.Outcome)); // the second was told what the first was
    }

    [Fact]
    public async Task An_answer_that_is_whole_is_on_record_before_it_leaves_and_once()
    {
        var cove = new FakeCove
        {
            Run = run =>
            {
                // More than connections hold of what nobody reads.
                for (var i = 0; i < 30; i++)
                {
                    run.Show(false, ("image/png", Convert.ToBase64String(new byte[1_000_000])));
                }

                return Task.CompletedTask;
            },
        };
        await using var server = await AccessServer.StartAsync(cove);
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox.Value}/runs") { Content = new StringContent("""{"code":"1"}""", System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Add("X-API-Key", key);
        request.Headers.Add("Accept", "application/json");
        using (var answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            await server.State.Writer.FlushAsync();
            Assert.Equal(["createSandbox", "run"], await OperationsAsync());
            await answer.Content.CopyToAsync(Stream.Null);
        }

        using var later = await server.SendAsync("POST", "/v1/sandboxes", key, "{}");
        Assert.Equal(["createSandbox", "run", "createSandbox"], (await RowsAsync(server, 3)).Select(row => row.Operation));

        async Task<IEnumerable<string>> OperationsAsync() => (await server.State.Audit.ListAsync(100)).AsEnumerable().Reverse().Select(row => row.Operation);
    }

    private static async Task<AuditRow[]> RowsAsync(AccessServer server, int count)
    {
        // Of what has no body a row is queued once its answer is out.
        AuditRow[] rows = [];
        await Eventually.Holds(async () =>
        {
            await server.State.Writer.FlushAsync();
            rows = [.. (await server.State.Audit.ListAsync(100)).AsEnumerable().Reverse()];
            return rows.Length >= count;
        }, $"{count} rows are written");
        return rows;
    }
}
