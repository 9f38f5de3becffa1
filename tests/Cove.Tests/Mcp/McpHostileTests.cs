using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Cove.Tests.Server.Hostile;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary>Every argument of every tool is given what it must not be given, against the real server and a live engine.</summary>
public sealed class McpHostileTests(LiveEngine live)
{
    private const int AtOnce = 4;

    [Fact]
    public async Task Whatever_an_argument_holds_is_answered_by_the_protocol()
    {
        await using var server = await AccessServer.StartAsync(await live.GetAsync());
        var key = await server.KeyAsync();
        var talk = new McpTalk(server.Http, key);
        var sandbox = (await talk.CallAsync("create_sandbox", [])).Structured["sandbox_id"]!.GetValue<string>();
        var tools = (await talk.AskAsync("tools/list")).Result["tools"]!.AsArray().Select(tool => tool!).OrderBy(tool => tool["name"]!.GetValue<string>() == "close_sandbox").ToArray();
        var wrong = new ConcurrentQueue<string>();
        var seen = 0;
        foreach (var tool in tools)
        {
            await Parallel.ForEachAsync(Bodies(tool, sandbox), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (request, _) =>
            {
                Interlocked.Increment(ref seen);
                var (name, field, body, never) = request;
                (string, string)[] headers = [("X-API-Key", key), ("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json"), ("MCP-Protocol-Version", McpTalk.Stateless), ("Mcp-Method", "tools/call"), ("Mcp-Name", name)];
                var answer = await RawHttp.SendAsync(server.Http.BaseAddress!, RawHttp.Request(server.Http.BaseAddress!, "POST", "/mcp", headers, body));
                var refused = answer.Status == 400 || answer.Body.Contains("\"isError\":true", StringComparison.Ordinal) || answer.Body.Contains("\"error\":{\"code\":-32", StringComparison.Ordinal);
                if (answer.Status is not (200 or 400) || !answer.Body.Contains("\"jsonrpc\":\"2.0\"", StringComparison.Ordinal) || (never && !refused))
                {
                    wrong.Enqueue($"{name}.{field}: {Encoding.Latin1.GetString(body, 0, Math.Min(150, body.Length))}: {answer.Status} {answer.Body[..Math.Min(200, answer.Body.Length)]}");
                }
            });
            await CleanAsync(talk, sandbox);
        }

        Assert.True(seen > 1000, $"Only {seen} requests were made.");
        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {seen}:\n" + string.Join('\n', wrong.Take(50)));
        Assert.Equal("42", (await talk.CallAsync("run_code", new JsonObject { ["code"] = "6*7" })).Structured["result"]!.GetValue<string>());
    }

    private static IEnumerable<(string Name, string Field, byte[] Body, bool Never)> Bodies(JsonNode tool, string sandbox)
    {
        var name = tool["name"]!.GetValue<string>();
        var schema = tool["inputSchema"]!;
        foreach (var field in schema["properties"]!.AsObject().Select(property => property.Key))
        {
            var arguments = new JsonObject();
            foreach (var needed in schema["required"]?.AsArray().Select(n => n!.GetValue<string>()) ?? [])
            {
                arguments[needed] = needed switch { "sandbox_id" => sandbox, "path" => "/workspace/a", _ => "1" };
            }

            var call = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 1, ["method"] = "tools/call", ["params"] = new JsonObject { ["name"] = name, ["arguments"] = arguments, ["_meta"] = McpTalk.Meta() } };
            foreach (var (value, never) in HostileValues.NeverJson.Select(v => (v, true)).Concat(HostileValues.OddJson.Select(v => (v, false))))
            {
                // The names within _meta have dots of their own, so the field is put where it belongs by hand.
                yield return (name, field, With(call, field, value), never);
            }
        }
    }

    private static byte[] With(JsonObject call, string field, byte[] value)
    {
        const string Mark = "@here@";
        var copy = call.DeepClone().AsObject();
        copy["params"]!["arguments"]![field] = Mark;
        var text = copy.ToJsonString();
        var at = text.IndexOf($"\"{Mark}\"", StringComparison.Ordinal);
        return [.. Encoding.UTF8.GetBytes(text[..at]), .. value, .. Encoding.UTF8.GetBytes(text[(at + Mark.Length + 2)..])];
    }

    /// <summary>Ends what odd but right requests made.</summary>
    private static async Task CleanAsync(McpTalk talk, string keep)
    {
        foreach (var made in (await talk.CallAsync("list_sandboxes", [])).Structured["sandboxes"]!.AsArray().Select(s => s!["sandbox_id"]!.GetValue<string>()).Where(id => id != keep))
        {
            await talk.CallAsync("close_sandbox", new JsonObject { ["sandbox_id"] = made });
        }
    }
}
