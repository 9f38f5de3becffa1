using System.Diagnostics;
using System.Text.Json;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Samples;

/// <summary>The scripts of samples/agent, as a reader plays them: <c>cove agent --model scripted:…</c>, with its sandboxes at a server of their own.</summary>
public sealed class AgentCommandTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _place = new();
    private ServeProcess _server = null!;
    private string _address = "";

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(LiveEngine.Privilege == "root", "The command is tried once, as the user who owns the checkout.");
        _server = ServeProcess.Start(null, "--allow-anonymous");
        using var http = await _server.AnswersAsync();
        _address = http.BaseAddress!.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _place.Dispose();
    }

    [Theory]
    [InlineData("statistics.yaml", 1, 0, null, "mean is 50.5", "median 50.5", "sample standard deviation 30.1892", "interquartile range 60.5 (statistics.quantiles")]
    [InlineData("percentage.yaml", 1, 0, null, "3.6633%")]
    [InlineData("repair.yaml", 2, 1, null, "15.8114", "stats does not exist")]
    [InlineData("csv.yaml", 1, 0, null, "Widget A 530", "Widget B 426", "Widget C 793", "Q4 with 453")]
    [InlineData("market.yaml", 3, 0, "prices.csv", "standard deviation of the daily returns is 1.5850%", "the best day was 2026-03-04")]
    public async Task A_scenario_is_answered_exactly_and_written_down(string script, int attempts, int retries, string? data, params string[] expected)
    {
        var transcript = Path.Combine(_place.Path, script + ".jsonl");
        var folder = Path.Combine(SourceTree.Root, "samples", "agent");
        string[] file = data is null ? [] : ["--file", Path.Combine(folder, "data", data)];
        using var result = JsonDocument.Parse(await RunAsync(["agent", "--model", "scripted:" + Path.Combine(folder, script), "--server", _address, "--json", "--transcript", transcript, .. file, "Please."]));
        var root = result.RootElement;
        var answer = root.GetProperty("answer").GetString()!;
        Assert.All(expected, text => Assert.Contains(text, answer, StringComparison.Ordinal));
        Assert.Equal(("answered", attempts, retries), (root.GetProperty("outcome").GetString(), root.GetProperty("code_attempts").GetInt32(), root.GetProperty("retries").GetInt32()));
        Assert.Equal(attempts + 1, root.GetProperty("iterations").GetInt32());
        Assert.True(root.GetProperty("total_tokens").GetInt64() > 0, answer);
        Written(transcript, attempts, answer);
    }

    /// <summary>Every call and its result are there, under one id, and the answer.</summary>
    private static void Written(string transcript, int attempts, string answer)
    {
        var lines = File.ReadLines(transcript).Select(line => JsonDocument.Parse(line).RootElement.Clone()).ToArray();
        Assert.Single(lines.Select(line => line.GetProperty("correlation_id").GetString()).Distinct());
        var blocks = lines.Where(line => line.GetProperty("type").GetString() == "message").SelectMany(line => line.GetProperty("content").EnumerateArray()).ToArray();
        string?[] Ids(string type) => [.. blocks.Where(block => block.GetProperty("type").GetString() == type).Select(block => block.GetProperty("id").GetString())];
        Assert.Equal(attempts, Ids("tool_use").Length);
        Assert.Equal(Ids("tool_use"), Ids("tool_result"));
        Assert.Contains(blocks, block => block.TryGetProperty("text", out var text) && text.GetString() == answer);
        Assert.Equal(("start", "end"), (lines[0].GetProperty("type").GetString(), lines[^1].GetProperty("type").GetString()));
    }

    private async Task<string> RunAsync(string[] arguments)
    {
        var start = CoveProgram.Start(arguments);
        start.WorkingDirectory = _place.Path;
        start.Environment.Remove("COVE_API_KEY");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"cove agent ended with {process.ExitCode}\n{await output}\n{await errors}");
        return await output;
    }
}
