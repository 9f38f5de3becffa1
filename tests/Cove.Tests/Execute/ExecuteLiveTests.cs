using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Cove.Tests.Escapes;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Execute;

/// <summary>What only shows with real sandboxes behind the route.</summary>
[Collection(Alone.Name)] // so many at once are served in time only where they are the only ones
public sealed class ExecuteLiveTests(LiveEngine engine) : IAsyncLifetime
{
    private FrontDoor _server = null!;

    public async ValueTask InitializeAsync() => _server = await FrontDoor.StartAsync(await engine.GetAsync());

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_hundred_calls_at_once_do_not_mix_their_outputs()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i =>
            AskAsync(new JsonObject { ["code"] = $"import sys, time\nfor part in range(5):\n    print('out {i}', flush=True)\n    print('err {i}', file=sys.stderr, flush=True)\n    time.sleep(0.01)" })));
        for (var i = 0; i < answers.Length; i++)
        {
            Assert.Equal(string.Concat(Enumerable.Repeat($"out {i}\n", 5)), answers[i]["output"]!.GetValue<string>());
            Assert.Equal(string.Concat(Enumerable.Repeat($"err {i}\n", 5)), answers[i]["error"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task A_call_finds_nothing_of_the_one_before_it()
    {
        await AskAsync(new JsonObject { ["code"] = "secret = 1\nopen('/workspace/secret', 'w').close()" });
        var answer = await AskAsync(new JsonObject { ["code"] = "import os\nprint('secret' in globals(), os.listdir('/workspace'))" });
        Assert.Equal("False []\n", answer["output"]!.GetValue<string>());
    }

    [Fact]
    public async Task In_a_sandbox_of_ones_own_variables_stay()
    {
        var cove = await engine.GetAsync();
        var sandbox = (await cove.CreateSandboxAsync(new SandboxRequest())).Id;
        try
        {
            await AskAsync(new JsonObject { ["code"] = "x = 41", ["sandbox_id"] = sandbox.Value });
            await AskAsync(new JsonObject { ["code"] = "import sys\nsys.exit(3)", ["sandbox_id"] = sandbox.Value });
            var answer = await AskAsync(new JsonObject { ["code"] = "x + 1", ["sandbox_id"] = sandbox.Value });
            Assert.Equal(("42", sandbox.Value), (answer["result"]!.GetValue<string>(), answer["sandbox_id"]!.GetValue<string>()));
            Assert.Equal(SandboxState.Ready, (await cove.GetSandboxAsync(sandbox)).State);
        }
        finally
        {
            await cove.DeleteSandboxAsync(sandbox);
        }

        using var gone = await _server.Http.PostAsJsonAsync("/execute", new JsonObject { ["code"] = "1", ["sandbox_id"] = sandbox.Value });
        Assert.Equal("application/problem+json", gone.Content.Headers.ContentType!.MediaType);
        Assert.True(gone.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict, await gone.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_stream_that_is_cut_says_so()
    {
        var answer = await AskAsync(new JsonObject { ["code"] = "print('x' * (3 << 20))" });
        Assert.True(answer["success"]!.GetValue<bool>());
        Assert.InRange(answer["output"]!.GetValue<string>().Length, 1 << 20, 2 << 20);
        Assert.Contains("were cut", answer["error"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_sandbox_is_gone_soon_after_the_answer()
    {
        var answer = await AskAsync(new JsonObject { ["code"] = "print(1)", ["timeout"] = 1234 }); // known by the lifetime that follows from it
        Assert.True(answer["success"]!.GetValue<bool>());
        var cove = await engine.GetAsync();
        await Eventually.Holds(
            async () => !(await cove.ListSandboxesAsync(new SandboxFilter { Limit = 1000 })).Sandboxes.Any(s => Math.Round((s.ExpiresAt - s.CreatedAt).TotalSeconds) == 1294),
            "the sandbox is gone");
    }

    private async Task<JsonNode> AskAsync(JsonObject body)
    {
        using var response = await _server.Http.PostAsJsonAsync("/execute", body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }
}
