using System.Collections.Concurrent;
using Cove.Server.Hosting;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Hostile;

/// <summary>Every field of every route is given what it must not be given, against the real server and a live engine: each request is answered, none with a failure of the server's, and the server is what it was.</summary>
public sealed class HostileInputs(LiveEngine live)
{
    /// <summary>Parallel requests: more only wait for the two processors that a small machine has.</summary>
    private const int AtOnce = 4;

    [Fact]
    public async Task Whatever_a_field_holds_is_answered_and_never_with_a_failure_of_the_servers()
    {
        var engine = await live.GetAsync();
        await using var server = await AccessServer.StartAsync(engine);
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        var requests = new HostileRequests(sandbox, key);
        var wrong = new ConcurrentQueue<string>();
        var seen = 0;
        foreach (var route in server.Endpoints.OrderBy(r => r.Metadata.GetMetadata<Operation>()!.Id == "deleteSandbox")) // what ends the sandbox comes last
        {
            await Parallel.ForEachAsync(requests.Of(route), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (request, _) =>
            {
                Interlocked.Increment(ref seen);
                if (await FaultAsync(server, request) is { } fault)
                {
                    wrong.Enqueue($"{request.What}: {fault[..Math.Min(120, fault.Length)]}");
                }
            });
            await CleanAsync(server, key, route.Metadata.GetMetadata<Operation>()!.Id == "createSandbox" ? sandbox : null);
        }

        Assert.True(seen > 4000, $"Only {seen} requests were made.");
        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {seen}:\n" + string.Join('\n', wrong.Take(200)));
        await AnswersAsync(server, key);
    }

    private static async Task<string?> FaultAsync(AccessServer server, HostileRequest request)
    {
        RawAnswer answer;
        try
        {
            answer = await RawHttp.SendAsync(server.Http.BaseAddress!, RawHttp.Request(server.Http.BaseAddress!, request.Method, request.Target, request.Headers, request.Body), request.IsEndless);
        }
        catch (TimeoutException)
        {
            return "no answer";
        }

        return answer.Status switch
        {
            >= 500 or 0 => $"{answer.Status} {answer.Body}",
            < 400 when request.MustBeRefused => $"was taken: {answer.Status} {answer.Body}",
            >= 400 when !IsWellSaid(request, answer) => $"is no problem: {answer.Head} {answer.Body}",
            _ when answer.Header("X-Evil") is not null => "a header was made by the caller",
            _ => null,
        };
    }

    /// <summary>A problem; but for what the protocol itself refuses (no handler is reached), for HEAD, for the 400 that <c>/execute</c> promises, and for the errors of JSON-RPC.</summary>
    private static bool IsWellSaid(HostileRequest request, RawAnswer answer) =>
        answer.IsProblem || answer.Header("Content-Length") == "0" || request.Method == "HEAD" || (request.Target.StartsWith("/mcp", StringComparison.Ordinal) && answer.Body.StartsWith("{\"jsonrpc\":\"2.0\",\"id\":", StringComparison.Ordinal)) || (request.Target.StartsWith("/execute", StringComparison.Ordinal) && answer.Status == 400 && answer.Body.StartsWith("{\"error\":", StringComparison.Ordinal));

    /// <summary>Ends what odd but right requests made.</summary>
    private static async Task CleanAsync(AccessServer server, string key, SandboxId? keep)
    {
        if (keep is null)
        {
            return;
        }

        foreach (var owned in server.Access.Ledger.Of("default").Where(o => o.Id != keep))
        {
            using var deleted = await server.SendAsync("DELETE", "/v1/sandboxes/" + owned.Id.Value, key);
        }
    }

    private static async Task AnswersAsync(AccessServer server, string key)
    {
        Assert.Equal("ok", await server.Http.GetStringAsync("/health"));
        var sandbox = await server.SandboxAsync(key);
        using var run = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox.Value}/runs", key, """{"code":"print(6*7)"}""", ("Accept", "application/json"));
        Assert.Contains("42", await run.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var deleted = await server.SendAsync("DELETE", "/v1/sandboxes/" + sandbox.Value, key);
        Assert.Equal(System.Net.HttpStatusCode.NoContent, deleted.StatusCode);
    }
}
