using System.Text;
using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Models;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Cove.Agent.Transcripts;
using Cove.Cli.Agents;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;
using static Cove.Tests.Support.FakeModel;

namespace Cove.Tests.Agent.Transcripts;

public sealed class TranscriptTests : IDisposable
{
    private readonly TemporaryDirectory _place = new();

    private string File => Path.Combine(_place.Path, "out.jsonl");

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task Everything_is_in_it_in_order_with_the_runs_id()
    {
        using var model = new FakeModel()
            .Fails(ModelFailures.OfStatus(529, "busy"))
            .Then(Text("I look."), Call(Tool("t1", "run_python", ("code", "1/0"))), Used(10, 5), Stop("tool_use"))
            .Says("Nothing.");

        var lines = await RecordAsync(model, [FakeTool.Fails("run_python", ToolErrorCategory.Exception)], new AgentOptions { CorrelationId = "c-1" });

        Assert.All(lines, line => Assert.Equal("c-1", line.CorrelationId));
        Assert.Equal(
            ["StartLine", "MessageLine", "RetryLine", "MessageLine", "UsageLine", "ToolLine", "MessageLine", "MessageLine", "UsageLine", "EndLine"],
            lines.Select(line => line.GetType().Name));
        var call = lines.OfType<MessageLine>().ElementAt(1);
        Assert.Equal(["text", "tool_use"], call.Content.Select(block => block.Type));
        Assert.Equal("1/0", call.Content[1].Input!.Value.GetProperty("code").GetString());
        var result = Assert.Single(lines.OfType<MessageLine>().ElementAt(2).Content);
        Assert.Equal(("tool_result", "t1", true), (result.Type, result.Id, result.IsError));
        Assert.Equal("exception", Assert.Single(lines.OfType<ToolLine>()).Error);
        Assert.Equal((AgentOutcome.Answered, "Nothing."), (((EndLine)lines[^1]).Result.Outcome, ((EndLine)lines[^1]).Result.Answer));
    }

    [Fact]
    public async Task No_secret_is_in_it_whatever_writes_it_and_however()
    {
        const string Key = "sEcr3t/Key+\"with'quotes\\and-more";
        const string Number = "48151623424815";
        const string Unnamed = "sk-ant-api03-AAAABBBBCCCCDDDD";
        var secret = new Redactor();
        secret.Add(new Secret("KEY", Key));
        secret.Add(new Secret("NUMBER", Number));
        string[] forms =
        [
            Key, Uri.EscapeDataString(Key), Convert.ToBase64String(Encoding.UTF8.GetBytes(Key)), Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + Key)),
            Convert.ToHexString(Encoding.UTF8.GetBytes(Key)), JsonSerializer.Serialize(Key), Unnamed, "Bearer " + Unnamed, "ghp_0123456789abcdefghijABCDEFGHIJ",
        ];
        var all = string.Join('\n', forms);
        var quoted = JsonSerializer.Serialize(new { request = JsonSerializer.Serialize(new { body = JsonSerializer.Serialize(new { token = Key }) }) }); // as an answer quotes a request that quotes a body
        var input = new Dictionary<string, object?> { ["code"] = all, [Key] = 1, ["n"] = long.Parse(Number), ["quoted"] = quoted, ["deep"] = new[] { new { x = Key } } };
        var tool = new FakeTool("look", (_, _) => Task.FromResult(ToolResult.Failed(new ToolError { ErrorCategory = ToolErrorCategory.Exception, IsRetryable = true, Context = all + quoted, Remediation = Key }, new TextContent(all + quoted)) with { Artifacts = [new ToolArtifact("/workspace/" + Key, "text/plain")] }));
        using var model = new FakeModel()
            .Fails(ModelFailures.OfStatus(500, "the key " + Key + " is bad"))
            .Then(Text(all), Call(new FunctionCallContent("t1" + Unnamed, "look", input)), Stop("tool_use"))
            .Says(all + quoted);

        await RecordAsync(model, [tool], new AgentOptions(), question: "Use " + all, secret);

        var written = await System.IO.File.ReadAllTextAsync(File);
        Assert.All(forms, form => Assert.DoesNotContain(form, written, StringComparison.Ordinal));
        Assert.DoesNotContain(Number, written, StringComparison.Ordinal);
        Assert.DoesNotContain("sEcr3t", written, StringComparison.Ordinal);
        Assert.DoesNotContain("and-more", written, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAABBBBCCCC", written, StringComparison.Ordinal);
        Assert.Contains("[redacted", written, StringComparison.Ordinal);
        Assert.All(written.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => JsonDocument.Parse(line).Dispose());
    }

    [Fact]
    public async Task Half_a_character_in_a_models_input_breaks_nothing()
    {
        using var model = new FakeModel()
            .Then(Call(new FunctionCallContent("t1", "look", new Dictionary<string, object?> { ["a"] = JsonElement.Parse("""{"x\ud800":"half \ud800","y":"\\ud800 \ud83d\ude00"}""") })), Stop("tool_use"))
            .Says("x");

        var lines = await RecordAsync(model, [FakeTool.Says("look", "ok")], new AgentOptions());

        Assert.IsType<EndLine>(lines[^1]);
        var input = lines.OfType<MessageLine>().SelectMany(line => line.Content).Single(block => block.Type == "tool_use").Input!.Value.GetProperty("a");
        Assert.Equal(("half \ufffd", "\\ud800 \U0001F600"), (input.GetProperty("x\ufffd").GetString(), input.GetProperty("y").GetString()));
    }

    [Fact]
    public async Task The_file_is_its_owners_alone_and_nothing_is_written_over()
    {
        using var model = new FakeModel().Says("x");
        await RecordAsync(model, [], new AgentOptions());

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Throws<IOException>(() => TranscriptWriter.Create(File, TimeProvider.System));
        var link = Path.Combine(_place.Path, "link");
        System.IO.File.CreateSymbolicLink(link, Path.Combine(_place.Path, "elsewhere"));
        Assert.Throws<IOException>(() => TranscriptWriter.Create(link, TimeProvider.System));
        Assert.False(System.IO.File.Exists(Path.Combine(_place.Path, "elsewhere")));
    }

    [Fact]
    public async Task It_is_written_as_it_happens()
    {
        var seen = "";
        var tool = new FakeTool("look", async (_, _) =>
        {
            // The call is noted once its event was read; until then nothing is lost, it only comes later.
            await Eventually.Holds(() => (seen = Shared(File)).Contains("\"tool_use\"", StringComparison.Ordinal), "the call is in the file");
            return ToolResult.Of("ok");
        });
        using var model = new FakeModel().Calls(Tool("t1", "look")).Says("x");

        await RecordAsync(model, [tool], new AgentOptions());

        Assert.DoesNotContain("\"end\"", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_was_cut_by_a_kill_is_left_out_and_nonsense_is_named()
    {
        using var model = new FakeModel().Says("x");
        await RecordAsync(model, [], new AgentOptions());
        var whole = await System.IO.File.ReadAllTextAsync(File);
        using var cut = new MemoryStream(Encoding.UTF8.GetBytes(whole + "{\"type\":\"mess"));
        using var wrong = new MemoryStream(Encoding.UTF8.GetBytes(whole + "{\"type\":\"nothing\"}\n"));

        Assert.Equal(whole.Count(c => c == '\n'), (await TranscriptReader.ReadAsync(cut).ToListAsync()).Count);
        var refused = await Assert.ThrowsAsync<FormatException>(async () => await TranscriptReader.ReadAsync(wrong).ToListAsync());
        Assert.Contains($"Line {whole.Count(c => c == '\n') + 1} ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_shown_moves_no_terminal()
    {
        const string Hostile = "\u001b[2J\u001b]0;owned\a\r\u202eevil\u009b31m";
        using var model = new FakeModel().Then(Text(Hostile), Call(Tool("t\u001b[1m", "look\u001b[2m", (Hostile, Hostile))), Stop("tool_use")).Says(Hostile);
        var lines = await RecordAsync(model, [FakeTool.Says("look", Hostile)], new AgentOptions(), question: Hostile);

        var shown = string.Join('\n', lines.Select(TranscriptPrinter.Print));

        Assert.DoesNotContain(shown, c => (char.IsControl(c) && c != '\n') || c == '\u202e');
        Assert.Contains("\\x1b[2J", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_writer_writes_is_shown_all_the_same()
    {
        using var odd = new MemoryStream(Encoding.UTF8.GetBytes(
            """{"type":"message","role":"user","content":[null,{"type":"tool_result","content":[null]},{"type":"tool_use","name":"look","input":{"code":"\ud800"}}]}""" + "\n"));
        var shown = TranscriptPrinter.Print(Assert.Single(await TranscriptReader.ReadAsync(odd).ToListAsync()));
        Assert.Contains("▶ look", shown, StringComparison.Ordinal);
        Assert.Contains("ud800", shown, StringComparison.Ordinal);
    }

    private static string Shared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private async Task<List<TranscriptLine>> RecordAsync(FakeModel model, IReadOnlyList<AITool> tools, AgentOptions options, string question = "?", params Redactor[] redactors)
    {
        var retry = options.Retry with { FirstDelay = TimeSpan.FromMilliseconds(1) };
        await using (var writer = TranscriptWriter.Create(File, TimeProvider.System, redactors))
        {
            await foreach (var next in new AgentLoop(model, tools, options with { Retry = retry }).StreamAsync(question))
            {
                await writer.WriteAsync(next);
            }
        }

        await using var file = System.IO.File.OpenRead(File);
        return await TranscriptReader.ReadAsync(file).ToListAsync();
    }
}
