using System.Text.Json;
using Cove.Agent.HostCalls;
using Cove.Agent.Tools.Sandbox;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.HostCalls;

/// <summary>Python in a real sandbox that calls functions of this process, also through the tool a model uses.</summary>
public sealed class LiveBridgeTests(LiveEngine live)
{
    private static readonly AIFunction _price = AIFunctionFactory.Create(
        (string item, int count = 1) => item == "tea" ? new Dictionary<string, double> { ["total"] = 2.5 * count } : throw new InvalidOperationException("db=secret"), "get-price", "What an item costs.");

    [Fact]
    public async Task Code_calls_functions_and_reads_their_results_and_failures()
    {
        await using var sandbox = await TestSandbox.CreateAsync(await live.GetAsync());
        var bridge = new ToolBridge(sandbox.Cove, [_price]);
        var run = Finished.Checked(await Hang.WatchAsync(bridge.RunAsync(sandbox.Id, new RunRequest { Timeout = TimeSpan.FromSeconds(60), Code = """
            import asyncio, inspect
            print(inspect.signature(tools.get_price))
            print([p['total'] for p in await asyncio.gather(*(tools.get_price('tea', n) for n in (1, 2, 3)))])
            for wrong in (lambda: tools.get_price('gold'), lambda: tools.get_price(7), lambda: tools.get_price(cost=1)):
                try: await wrong()
                except (ToolCallError, TypeError) as error: print(type(error).__name__, getattr(error, 'category', ''), error)
            """ }).ToListAsync().AsTask()));
        Assert.True(run.Outcome == RunOutcome.Ok, run.ToString());
        Assert.Equal("""
            (item: str, count: int = 1)
            [2.5, 5, 7.5]
            ToolCallError unavailable The tool failed (InvalidOperationException). Go on without it, or tell the user that it does not work.
            ToolCallError input The arguments of 'get-price' are not what it takes: item is 7: give a text.
            TypeError  tools.get_price() has no argument 'cost'; it takes: item, count

            """.ReplaceLineEndings("\n"), run.Stdout);
    }

    [Fact]
    public async Task The_tool_of_a_model_offers_them()
    {
        await using var sandbox = await TestSandbox.CreateAsync(await live.GetAsync());
        using var tool = new RunPythonTool(sandbox.Cove, sandbox.Id, new SandboxToolOptions { HostCalls = new ToolBridge(sandbox.Cove, [_price]) });
        Assert.Contains("get-price(item, count?): What an item costs.", tool.Description, StringComparison.Ordinal);
        var result = await Hang.WatchAsync(tool.CallAsync(new Cove.Agent.Tools.ToolCall
        {
            Id = "toolu_1", Name = tool.Name, Input = JsonElement.Parse("""{"code":"print((await tools.get_price('tea'))['total'])"}"""),
        }, CancellationToken.None));
        Assert.Null(result.Error);
        Assert.Equal("2.5\n", result.Structured!.Value.GetProperty("stdout").GetString());
    }
}
