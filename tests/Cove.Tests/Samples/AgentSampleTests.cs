using System.Globalization;
using System.Text.Json;
using Anthropic;
using Anthropic.Models.Messages;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Cove.ScriptedModel;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Samples;

/// <summary>
/// The scripts of samples/agent, played to a loop as short as one can write it: the official client, the tools, a real sandbox. The numbers in the answers
/// come from what the code printed; the scripts hold none of them.
/// </summary>
public sealed class AgentSampleTests(LiveEngine engine)
{
    private static string Folder { get; } = Path.Combine(SourceTree.Root, "samples", "agent");

    [Theory]
    [InlineData("statistics.yaml", 1, "The mean is 50.5, the median 50.5, the sample standard deviation 30.1892 and the interquartile range 60.5 (statistics.quantiles, exclusive method).")]
    [InlineData("percentage.yaml", 1, "47 divided by 1283 is 3.6633%.")]
    [InlineData("repair.yaml", 2, "The module stats does not exist; with statistics the sample standard deviation is 15.8114.")]
    [InlineData("csv.yaml", 1, "Totals: Widget A 530, Widget B 426, Widget C 793.\nThe best quarter was Q4 with 453.\nGrowth from quarter to quarter: Widget A +20.8%, -32.4%, +70.4%; Widget B +25.8%, +19.6%, -32.1%; Widget C -11.0%, +23.6%, -11.4%.")]
    public async Task A_scenario_is_answered_exactly(string script, int attempts, string answer) => Assert.Equal((answer, attempts), await PlayAsync(script));

    [Fact]
    public async Task Numpy_draws_the_quartiles_otherwise_and_the_answer_says_so()
    {
        var cove = await engine.GetAsync();
        await using var sandbox = new CoveSandbox(cove, await cove.CreateSandboxAsync(new SandboxRequest()));
        var probe = await sandbox.RunToEndAsync("import numpy");
        Assert.SkipUnless(probe.Result.Outcome == RunOutcome.Ok, "The host has no numpy.");
        var (answer, _) = await PlayAsync("statistics-numpy.yaml");
        Assert.Equal("The mean is 50.5, the median 50.5, the sample standard deviation 30.1892 and the interquartile range 49.5 (numpy.percentile, linear interpolation).", answer);
    }

    [Fact]
    public async Task The_market_flow_keeps_its_state_over_its_turns()
    {
        var (answer, attempts) = await PlayAsync("market.yaml", Path.Combine(Folder, "data", "prices.csv"));
        Assert.Equal(3, attempts);
        Assert.Equal(Expected(), answer);
    }

    [Fact]
    public async Task Without_its_data_the_market_flow_says_what_is_missing()
    {
        var (answer, attempts) = await PlayAsync("market.yaml");
        Assert.Equal((2, "There are no prices: /workspace holds []. Give them with --file samples/agent/data/prices.csv."), (attempts, answer));
    }

    /// <summary>The answer, reckoned here from the same file.</summary>
    private static string Expected()
    {
        var rows = File.ReadLines(Path.Combine(Folder, "data", "prices.csv")).Skip(1).Select(line => line.Split(',')).ToArray();
        var prices = rows.Select(row => double.Parse(row[1], CultureInfo.InvariantCulture)).ToArray();
        var returns = prices.Zip(prices.Skip(1), (before, after) => (after / before) - 1).ToArray();
        var mean = returns.Average();
        var deviation = Math.Sqrt(returns.Sum(r => (r - mean) * (r - mean)) / (returns.Length - 1));
        var best = rows[Array.IndexOf(returns, returns.Max()) + 1][0];
        var each = string.Join(", ", returns.Select(r => (100 * r).ToString("+0.0000;-0.0000", CultureInfo.InvariantCulture) + "%"));
        return string.Create(CultureInfo.InvariantCulture, $"From {rows[0][0]} to {rows[^1][0]} the price moved by {each} a day.\nThe sample standard deviation of the daily returns is {100 * deviation:0.0000}%; the best day was {best}.");
    }

    private async Task<(string Answer, int Attempts)> PlayAsync(string script, string? data = null)
    {
        var cove = await engine.GetAsync();
        await using var sandbox = new CoveSandbox(cove, await cove.CreateSandboxAsync(new SandboxRequest()));
        if (data is not null)
        {
            await using var content = File.OpenRead(data);
            await cove.WriteFileAsync(sandbox.Id, "/workspace/" + Path.GetFileName(data), content);
        }

        await using var server = await ScriptedModelServer.StartAsync(Path.Combine(Folder, script), TimeProvider.System);
        using var client = new AnthropicClient { BaseUrl = server.BaseUrl, ApiKey = "any", MaxRetries = 0 };
        using var tool = new RunPythonTool(cove, sandbox.Id);
        return await LoopAsync(client, tool);
    }

    private static async Task<(string Answer, int Attempts)> LoopAsync(AnthropicClient client, RunPythonTool tool)
    {
        List<MessageParam> history = [new UserMessageParam("go")];
        var offered = new Tool { Name = tool.Name, InputSchema = new InputSchema { Properties = tool.JsonSchema.GetProperty("properties").EnumerateObject().ToDictionary(p => p.Name, p => p.Value) } };
        for (var attempts = 0; ;)
        {
            var said = await client.Messages.Create(new MessageCreateParams { Model = "claude-opus-5-5", MaxTokens = 1024, Messages = history, Tools = [offered] });
            var text = string.Concat(said.Content.Select(b => b.TryPickText(out var block) ? block.Text : ""));
            if (said.StopReason!.Raw() != "tool_use")
            {
                return (text, attempts);
            }

            var echo = new List<ContentBlockParam>();
            var results = new List<ContentBlockParam>();
            foreach (var block in said.Content)
            {
                if (block.TryPickText(out var words))
                {
                    echo.Add(new TextBlockParam(words.Text));
                }
                else if (block.TryPickToolUse(out var use))
                {
                    attempts++;
                    echo.Add(new ToolUseBlockParam { ID = use.ID, Name = use.Name, Input = use.Input });
                    var result = await tool.CallAsync(new ToolCall { Id = use.ID, Name = use.Name, Input = JsonSerializer.SerializeToElement(use.Input) }, TestContext.Current.CancellationToken);
                    var blocks = result.Content.OfType<TextContent>().Select(c => (Block)new TextBlockParam(c.Text)).ToList();
                    results.Add(new ToolResultBlockParam(use.ID) { Content = new ToolResultBlockParamContent(blocks), IsError = result.Error is not null });
                }
            }

            history.Add(new AssistantMessageParam(echo));
            history.Add(new UserMessageParam(results));
        }
    }
}
