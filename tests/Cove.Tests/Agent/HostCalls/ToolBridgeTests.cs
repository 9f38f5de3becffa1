using System.Collections.Concurrent;
using System.ComponentModel;
using System.Text.Json;
using Cove.Agent.HostCalls;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.HostCalls;

/// <summary>Functions of this process that answer a run's tool calls: checked, approved, bounded, told of, and silent about what they know.</summary>
public sealed class ToolBridgeTests
{
    private readonly FakeCove _cove = new();
    private readonly ConcurrentQueue<HostCallRecord> _audit = new();

    [Description("Adds two numbers.")]
    private static double Add([Description("The first.")] double a, double b = 1) => a + b;

    [Fact]
    public async Task A_function_answers_and_the_model_is_told_of_it()
    {
        var bridge = Bridge([AIFunctionFactory.Create(Add, "add")]);
        var (answer, _) = await CallAsync(bridge, "add", """{"a":2.5}""");
        Assert.Equal("3.5", answer.Result.GetRawText());
        var declared = Assert.Single(_cove.LastRun!.Tools!);
        Assert.Equal(("add", "Adds two numbers.", 100), (declared.Name, declared.Description, _cove.LastRun.MaxToolCalls));
        Assert.Contains("\n- add(a, b?): Adds two numbers.", bridge.Describe(), StringComparison.Ordinal);
        var noted = Assert.Single(_audit);
        Assert.Equal(("add", "call_1", """{"a":2.5}""", "corr"), (noted.Call.Tool, noted.Call.CallId, noted.Call.Arguments.GetRawText(), noted.Call.CorrelationId));
        Assert.Null(noted.Error);
    }

    [Fact]
    public async Task Arguments_that_do_not_fit_never_reach_the_function()
    {
        var schema = """{"type":"object","required":["b"],"properties":{"a":{"type":"number"},"b":{}}}""";
        var (answer, _) = await CallAsync(Bridge([new Function("f", schema, (_, _) => throw new InvalidOperationException("reached"))]), "f", """{"a":"1"}""");
        Assert.Equal(("input", true), (answer.Error?.Category, answer.Error?.Retryable));
        Assert.Equal("The arguments of 'f' are not what it takes: a is '1': give a number; b is missing: give it.", answer.Error!.Message);
        Assert.Equal("input", Assert.Single(_audit).Error!.Category);
    }

    [Fact]
    public async Task What_a_failing_function_says_stays_on_the_host()
    {
        var (answer, _) = await CallAsync(Bridge([new Function("f", "{}", (_, _) => throw new InvalidOperationException("password=hunter2 at /srv/app"))]), "f", "{}");
        Assert.Equal("unavailable", answer.Error!.Category);
        Assert.DoesNotContain("hunter2", answer.Error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("/srv", answer.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_of_every_kind_are_json()
    {
        object?[] results = [null, "text", 7, new[] { 1, 2 }, JsonElement.Parse("""{"a":1}"""), new TextContent("t"), new AIContent[] { new TextContent("a"), new TextContent("b") },
            new AIContent[] { new TextContent("a"), new DataContent(new byte[] { 1, 2 }, "image/png") }];
        var next = 0;
        var bridge = Bridge([new Function("f", "{}", (_, _) => new(results[next++]))]);
        string[] expected = ["null", "\"text\"", "7", "[1,2]", """{"a":1}""", "\"t\"", "\"a\\nb\"", """["a",{"media_type":"image/png","data":"AQI="}]"""];
        foreach (var json in expected)
        {
            Assert.Equal(json, (await CallAsync(bridge, "f", "{}")).Answer.Result.GetRawText());
        }
    }

    [Fact]
    public async Task A_tool_of_ours_fails_with_its_own_words()
    {
        var error = new ToolError { ErrorCategory = ToolErrorCategory.RateLimited, IsRetryable = true, Context = "Too many.", Remediation = "Wait." };
        var (answer, _) = await CallAsync(Bridge([new OwnTool(ToolResult.Failed(error))]), "own", "{}");
        Assert.Equal(("rate_limited", "Too many. Wait.", true), (answer.Error!.Category, answer.Error.Message, answer.Error.Retryable));
        (answer, _) = await CallAsync(Bridge([new OwnTool(ToolResult.Of("fine"))]), "own", "{}");
        Assert.Equal("fine", answer.Result.GetString());
    }

    [Fact]
    public async Task What_is_not_approved_is_not_called()
    {
        var called = 0;
        var function = new Function("f", "{}", (_, _) => new((object?)Interlocked.Increment(ref called)));
        (Func<HostCall, CancellationToken, ValueTask<HostCallDecision>>, string)[] denials =
        [
            ((_, _) => new(HostCallDecision.Deny("Ask the owner first.")), "Ask the owner first."),
            ((_, _) => throw new InvalidOperationException("secret"), "not approved"),
            (async (_, token) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                return HostCallDecision.Allow;
            }, "nobody answered"),
        ];
        foreach (var (approve, why) in denials)
        {
            // Short only where nobody will answer: on a busy machine an answer takes its time, too.
            var bridge = Bridge([function], new ToolBridgeOptions { Approve = approve, ApprovalTimeout = why == "nobody answered" ? TimeSpan.FromMilliseconds(20) : Eventually.Limit });
            var (answer, _) = await CallAsync(bridge, "f", "{}");
            Assert.Equal("policy", answer.Error!.Category);
            Assert.Contains(why, answer.Error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, called);
        var (allowed, _) = await CallAsync(Bridge([function], new ToolBridgeOptions { Approve = (call, _) => new(new HostCallDecision(call.Tool == "f")) }), "f", "{}");
        Assert.Equal("1", allowed.Result.GetRawText());
    }

    [Fact]
    public async Task A_function_that_does_not_listen_is_left_behind()
    {
        using var never = new ManualResetEventSlim();
        var bridge = Bridge([new Function("f", "{}", (_, _) =>
        {
            never.Wait(CancellationToken.None);
            return new((object?)null);
        })], new ToolBridgeOptions { CallTimeout = TimeSpan.FromMilliseconds(20) });
        var (answer, _) = await CallAsync(bridge, "f", "{}");
        Assert.Equal(("timeout", true), (answer.Error!.Category, answer.Error.Retryable));
        never.Set();
    }

    [Fact]
    public async Task Calls_in_progress_are_cancelled_when_the_run_ends()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var bridge = Bridge([new Function("f", "{}", async (_, token) =>
        {
            await using var heard = token.Register(() => cancelled.TrySetResult());
            begun.SetResult();
            await cancelled.Task;
            token.ThrowIfCancellationRequested(); // one that went on to its end would be a call that was answered
            return null;
        })]);
        _cove.Run = async run =>
        {
            _ = run.CallAsync("f", "{}");
            await begun.Task;
        };
        var events = await Eventually.Within(bridge.RunAsync(await SandboxAsync(), new RunRequest { Code = "x" }).ToListAsync().AsTask());
        Assert.IsType<RunCompleted>(events[^1]);
        await Eventually.Within(cancelled.Task);
        Assert.Equal("interrupted", Assert.Single(_audit).Error!.Category);
    }

    [Fact]
    public async Task As_many_as_allowed_are_answered_side_by_side()
    {
        var together = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int inside = 0, most = 0;
        var bridge = Bridge([new Function("f", "{}", async (_, _) =>
        {
            var now = Interlocked.Increment(ref inside);
            lock (_audit)
            {
                most = Math.Max(most, now);
            }

            if (now == 3)
            {
                together.TrySetResult();
            }

            await together.Task;
            Interlocked.Decrement(ref inside);
            return null;
        })], new ToolBridgeOptions { MaxParallel = 3 });
        _cove.Run = run => Task.WhenAll(Enumerable.Range(0, 9).Select(_ => run.CallAsync("f", "{}")));
        await Eventually.Within(bridge.RunAsync(await SandboxAsync(), new RunRequest { Code = "x" }).ToListAsync().AsTask());
        Assert.Equal((9, 3), (_audit.Count, most));
    }

    [Fact]
    public void What_can_not_be_bridged_is_refused_at_once()
    {
        Assert.Contains("Two tools are named 'f'", Refused([new Function("f", "{}"), new Function("f", "{}")]), StringComparison.Ordinal);
        Assert.StartsWith("The schema of the tool 'f' can't be used: it refers to another document.", Refused([new Function("f", """{"properties":{"a":{"$ref":"http://127.0.0.1:1/x.json"}}}""")]), StringComparison.Ordinal);
        Assert.Contains("name 'a.b' can't be used", Refused([new Function("a.b", "{}")]), StringComparison.Ordinal);
        Assert.Contains("MaxCalls", Assert.Throws<ArgumentException>(() => Bridge([], new ToolBridgeOptions { MaxCalls = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("CallTimeout", Assert.Throws<ArgumentException>(() => Bridge([], new ToolBridgeOptions { CallTimeout = TimeSpan.Zero })).Message, StringComparison.Ordinal);
    }

    private string Refused(AIFunction[] tools) => Assert.Throws<ArgumentException>(() => Bridge(tools)).Message;

    private ToolBridge Bridge(IEnumerable<AIFunction> tools, ToolBridgeOptions? options = null) => new(_cove, tools, (options ?? new ToolBridgeOptions()) with { Audit = _audit.Enqueue });

    private async Task<SandboxId> SandboxAsync() => (await _cove.CreateSandboxAsync(new SandboxRequest())).Id;

    /// <summary>Runs code that makes one call.</summary>
    private async Task<(HostAnswer Answer, List<RunEvent> Events)> CallAsync(ToolBridge bridge, string tool, string arguments)
    {
        HostAnswer? answer = null;
        _cove.Run = async run => answer = await run.CallAsync(tool, arguments);
        var sandbox = await SandboxAsync();

        // On another thread, so that what never comes to an end fails a test and does not hang it.
        var events = await Eventually.Within(Task.Run(() => bridge.RunAsync(sandbox, new RunRequest { Code = "x", CorrelationId = "corr" }).ToListAsync().AsTask()));
        return (answer!, events);
    }

    private sealed class Function(string name, string schema, Func<AIFunctionArguments, CancellationToken, ValueTask<object?>>? body = null) : AIFunction
    {
        public override string Name => name;

        public override JsonElement JsonSchema { get; } = JsonElement.Parse(schema);

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => body!(arguments, cancellationToken);
    }

    private sealed class OwnTool(ToolResult result) : AgentTool
    {
        public override string Name => "own";

        public override Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken) => Task.FromResult(result);
    }
}
