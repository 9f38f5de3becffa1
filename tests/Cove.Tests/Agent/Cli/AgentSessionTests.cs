using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Cli;
using Cove.Cli.Agents;
using Cove.Cli.Running;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.Cli;

/// <summary>The command's inside, with a scripted model and a Cove without sandboxes.</summary>
public sealed class AgentSessionTests : IDisposable
{
    private const string Repaired = """
        turns:
          - text: I try.
            calls:
              - tool: run_python
                input: { code: "import stats" }
          - text: It is 42.
        """;

    private readonly TemporaryDirectory _place = new();
    private readonly FakeCove _cove = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task The_answer_alone_is_on_standard_output_and_what_happened_on_standard_error()
    {
        _cove.Run = run =>
        {
            run.Print("hello \u001b[31mred\n");
            return Task.CompletedTask;
        };

        var (exitCode, output, error) = await RunAsync(Repaired);

        Assert.Equal((0, "It is 42.\n"), (exitCode, output));
        Assert.Contains("▶ run_python\n  import stats\n", error, StringComparison.Ordinal);
        Assert.Contains("hello \\x1b[31mred\n", error, StringComparison.Ordinal);
        Assert.Contains("2 turns, code once", error, StringComparison.Ordinal);
        Assert.Contains("cost not known", error, StringComparison.Ordinal);
        Assert.Empty(_cove.Sandboxes);
    }

    [Fact]
    public async Task Json_is_one_object_and_nothing_else()
    {
        var (exitCode, output, error) = await RunAsync(Repaired, request => request with { Json = true });

        Assert.Equal((0, ""), (exitCode, error));
        var result = JsonDocument.Parse(output).RootElement;
        Assert.Equal("It is 42.", result.GetProperty("answer").GetString());
        Assert.Equal((2, 1, "answered"), (result.GetProperty("iterations").GetInt32(), result.GetProperty("code_attempts").GetInt32(), result.GetProperty("outcome").GetString()));
        Assert.False(result.TryGetProperty("cost_usd", out _));
    }

    [Fact]
    public async Task Files_go_in_and_the_model_is_told_where_they_are()
    {
        var data = Path.Combine(_place.Path, "data.csv");
        await File.WriteAllTextAsync(data, "a,b\n1,2\n");
        var transcript = Path.Combine(_place.Path, "out.jsonl");

        var (exitCode, _, _) = await RunAsync(Repaired, request => request with { Files = [data], Transcript = transcript });

        Assert.Equal(0, exitCode);
        Assert.Equal("a,b\n1,2\n", System.Text.Encoding.UTF8.GetString(_cove.Files["/workspace/data.csv"]));
        Assert.Contains("/workspace/data.csv (8 bytes)", await File.ReadAllTextAsync(transcript), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transcript_is_written_and_can_be_shown()
    {
        var transcript = Path.Combine(_place.Path, "out.jsonl");
        await RunAsync(Repaired, request => request with { Transcript = transcript });

        var (output, _, exitCode) = await CaptureAsync(screen => Cove.Cli.Commands.TranscriptCommand.ShowAsync(transcript, screen, CancellationToken.None));

        Assert.Equal(0, exitCode);
        Assert.Contains("▶ run_python", output, StringComparison.Ordinal);
        Assert.Contains("import stats", output, StringComparison.Ordinal);
        Assert.Contains("end: answered", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_is_gone_on_with_from_its_transcript_as_often_as_one_likes()
    {
        // The script's turns are found by what is in the request: a second and a third question reach theirs only behind the conversation so far.
        var script = Repaired + """

              - { text: It was 42. }
              - { text: It stays 42. }
            """;
        string[] files = [Path.Combine(_place.Path, "1.jsonl"), Path.Combine(_place.Path, "2.jsonl"), Path.Combine(_place.Path, "3.jsonl")];
        Assert.Equal("It is 42.\n", (await RunAsync(script, request => request with { Transcript = files[0] })).Output);
        Assert.Equal("It was 42.\n", (await RunAsync(script, request => request with { Resume = files[0], Transcript = files[1], ReadQuestion = () => "What was it?" })).Output);
        Assert.Equal("It stays 42.\n", (await RunAsync(script, request => request with { Resume = files[1], Transcript = files[2], ReadQuestion = () => "And now?" })).Output);

        await using var last = File.OpenRead(files[2]);
        var said = await Cove.Agent.Transcripts.TranscriptConversation.ReadAsync(last, TestContext.Current.CancellationToken);
        Assert.Equal(["user", "assistant", "tool", "assistant", "user", "assistant", "user", "assistant"], said.Select(message => message.Role.Value));
        Assert.Equal("And now?\n\n(This is a fresh sandbox: files and variables of the conversation so far are gone.)", said[6].Text);
    }

    [Fact]
    public async Task What_is_no_transcript_is_not_gone_on_with()
    {
        var path = Path.Combine(_place.Path, "wrong.jsonl");
        await File.WriteAllTextAsync(path, "{}\n");
        Assert.Contains("--resume", (await Assert.ThrowsAsync<CoveException>(() => RunAsync(Repaired, request => request with { Resume = path }))).Message, StringComparison.Ordinal);
        Assert.Contains("--resume", (await Assert.ThrowsAsync<CoveException>(() => RunAsync(Repaired, request => request with { Resume = path + "x" }))).Message, StringComparison.Ordinal);
        Assert.Empty(_cove.Sandboxes);
    }

    [Fact]
    public async Task A_transcript_shows_output_and_failures_as_they_read_and_not_as_json()
    {
        var transcript = Path.Combine(_place.Path, "out.jsonl");
        _cove.Run = run =>
        {
            run.Print("one\ntwo \u001b[2J\n");
            run.Result = FakeCoveRun.Ended(RunOutcome.GuestError, 1, new RunError
            {
                Code = "python_exception",
                Category = ErrorCategory.Code,
                Retryable = false,
                Message = "NameError: name 'x' is not defined",
                Remediation = "Correct it.",
                Evidence = new ErrorEvidence { ExceptionType = "NameError", Traceback = "Traceback (most recent call last):\nNameError: name 'x' is not defined" },
            });
            return Task.CompletedTask;
        };
        await RunAsync(Repaired, request => request with { Transcript = transcript });

        var (output, _, _) = await CaptureAsync(screen => Cove.Cli.Commands.TranscriptCommand.ShowAsync(transcript, screen, CancellationToken.None));

        Assert.Contains("  name: NameError: name 'x' is not defined\n  Define or import the name", output, StringComparison.Ordinal);
        Assert.Contains("\n  one\n  two \\x1b[2J\n  stderr:\n  Traceback (most recent call last):\n  NameError", output, StringComparison.Ordinal);
        Assert.Contains("\n  exit code 1, ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("{\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_key_it_says_what_to_set_and_what_needs_none()
    {
        var refused = Assert.Throws<CoveException>(() => ModelChoice.Make(null, null, null, null, _ => null));

        Assert.All(["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "--key-file", "COVE_MODEL_KEY_FILE", "scripted:FILE"], word => Assert.Contains(word, refused.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void The_model_comes_from_the_option_else_the_environment_else_the_default()
    {
        var environment = new Dictionary<string, string> { ["ANTHROPIC_API_KEY"] = "key-12345" };

        Assert.Equal("claude-opus-5-5", ModelChoice.Make(null, null, null, null, environment.GetValueOrDefault).Name);
        environment["COVE_MODEL"] = "other";
        Assert.Equal("other", ModelChoice.Make(null, null, null, null, environment.GetValueOrDefault).Name);
        Assert.Equal("mine", ModelChoice.Make("mine", null, null, null, environment.GetValueOrDefault).Name);
    }

    [Theory]
    [InlineData(AgentOutcome.Answered, null, 0)]
    [InlineData(AgentOutcome.BudgetSpent, AgentBudget.Iterations, 3)]
    [InlineData(AgentOutcome.BudgetSpent, AgentBudget.WallTime, 124)]
    [InlineData(AgentOutcome.Refused, null, 4)]
    [InlineData(AgentOutcome.MaxTokens, null, 4)]
    [InlineData(AgentOutcome.ContextExceeded, null, 4)]
    [InlineData(AgentOutcome.Stopped, null, 4)]
    [InlineData(AgentOutcome.Interrupted, null, 130)]
    [InlineData(AgentOutcome.ModelFailed, null, 70)]
    public void Every_end_has_its_exit_code(AgentOutcome outcome, AgentBudget? budget, int expected) => Assert.Equal(expected, ExitCodes.Of(new AgentResult
    {
        Answer = "", Outcome = outcome, Reason = "", Budget = budget, Iterations = 1, CodeAttempts = 0, Retries = 0, ModelRetries = 0, ToolCalls = 0, TotalTokens = 0,
        InputTokens = 0, OutputTokens = 0, CacheReadTokens = 0, CacheWriteTokens = 0, DurationMs = 0, CorrelationId = "c",
    }));

    [Theory]
    [InlineData("y", true)]
    [InlineData("", false)]
    [InlineData("not now", false)]
    public async Task Ask_asks_before_each_call_and_takes_only_a_yes(string typed, bool runs)
    {
        var ran = false;
        _cove.Run = _ =>
        {
            ran = true;
            return Task.CompletedTask;
        };

        var (exitCode, _, error) = await RunAsync(Repaired, request => request with { Ask = true }, new StringReader(typed + "\n"));

        Assert.Equal((0, runs), (exitCode, ran));
        var (said, shown, asked) = (error.IndexOf("I try.", StringComparison.Ordinal), error.IndexOf("▶ run_python", StringComparison.Ordinal), error.IndexOf("run run_python? [y/N", StringComparison.Ordinal));
        Assert.True(said >= 0 && said < shown && shown < asked, error); // the question never overtakes what the model said before the call
    }

    [Fact]
    public async Task Nothing_of_a_call_that_is_asked_about_is_left_out_and_calls_side_by_side_are_told_apart()
    {
        const string Twice = """
            turns:
              - calls:
                  - tool: str_replace_based_edit_tool
                    input: { command: view, path: /workspace/secret.txt }
                  - tool: run_python
                    input: { code: "1", timeout: 77 }
              - text: Done.
            """;

        var (_, _, error) = await RunAsync(Twice, request => request with { Ask = true }, new StringReader("n\ny\n"));

        Assert.Contains("▶ str_replace_based_edit_tool\n  view\n  (path: \"/workspace/secret.txt\")\n", error, StringComparison.Ordinal);
        Assert.Contains("▶ run_python\n  1\n  (timeout: 77)\n", error, StringComparison.Ordinal);
        Assert.Contains("✗ str_replace_based_edit_tool policy: ", error, StringComparison.Ordinal);
        Assert.Contains("✓ run_python ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_that_is_wrong_says_where()
    {
        var refused = await Assert.ThrowsAsync<CoveException>(() => RunAsync("turns: 5"));

        Assert.Contains("line 1", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_cove.Sandboxes);
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(string script, Func<AgentRequest, AgentRequest>? change = null, TextReader? answers = null)
    {
        var path = Path.Combine(_place.Path, "script.yaml");
        await File.WriteAllTextAsync(path, script);
        var request = new AgentRequest
        {
            ReadQuestion = () => "What is it?",
            Sandbox = new SandboxRequest(),
            ChooseModel = () => ModelChoice.Make("scripted:" + path, null, null, null, _ => null),
            Options = new AgentOptions(),
        };
        var (output, error, exitCode) = await CaptureAsync(async screen =>
        {
            await using var session = new AgentSession(change?.Invoke(request) ?? request, TimeProvider.System) { Screen = screen, Answers = answers ?? TextReader.Null };
            await session.PrepareAsync();
            return await session.RunAsync(_cove, await _cove.CreateSandboxAsync(request.Sandbox));
        });
        return (exitCode, output, error);
    }

    private async Task<(string Output, string Error, int ExitCode)> CaptureAsync(Func<Screen, Task<int>> run)
    {
        var (output, error) = (Path.Combine(_place.Path, Guid.NewGuid().ToString("N")), Path.Combine(_place.Path, Guid.NewGuid().ToString("N")));
        int exitCode;
        using (var outFile = new FileStream(output, FileMode.CreateNew))
        using (var errorFile = new FileStream(error, FileMode.CreateNew))
        {
            var screen = new Screen((int)outFile.SafeFileHandle.DangerousGetHandle(), (int)errorFile.SafeFileHandle.DangerousGetHandle());
            exitCode = await run(screen);
            screen.Flush();
        }

        return (await File.ReadAllTextAsync(output), await File.ReadAllTextAsync(error), exitCode);
    }
}
