using System.Text.Json;
using Cove.Agent.HostCalls;
using Cove.Agent.Loop;
using Cove.Agent.Permissions;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.HostCalls;

/// <summary>A model reaches nothing through its code that it may not call itself; and what others named does not break its runs.</summary>
public sealed class HostCallApprovalTests
{
    private readonly List<string> _asked = [];

    [Theory]
    [InlineData(PermissionMode.BypassPermissions, "", "", true, "")]
    [InlineData(PermissionMode.BypassPermissions, "", "send", false, "The rule send refuses it.")]
    [InlineData(PermissionMode.Default, "send", "", true, "")]
    [InlineData(PermissionMode.Default, "other", "", false, "nobody is there")]
    [InlineData(PermissionMode.Plan, "send", "", false, "plan mode")]
    public async Task Rules_judge_calls_of_code_as_those_of_the_model(PermissionMode mode, string allow, string deny, bool allowed, string why)
    {
        var rules = new ToolRules(ToolRules.Split(allow), deny: ToolRules.Split(deny), mode: mode);

        var decision = await DecideAsync(new AgentOptions { Rules = rules });

        Assert.Equal(allowed, decision.Allowed);
        Assert.Contains(why, decision.Reason ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_is_asked_sees_the_call_and_decides()
    {
        var yes = await DecideAsync(new AgentOptions { AskAlways = true, Approve = (call, _) => Answer(call, Approval.Yes) });
        var no = await DecideAsync(new AgentOptions { AskAlways = true, Approve = (call, _) => Answer(call, Approval.No("Not to them.")) });

        Assert.Equal((true, false), (yes.Allowed, no.Allowed));
        Assert.StartsWith("Not to them.", no.Reason, StringComparison.Ordinal);
        Assert.Equal(["send {\"to\":\"a\"} call_1 corr", "send {\"to\":\"a\"} call_1 corr"], _asked);
    }

    [Fact]
    public async Task What_fails_and_what_is_not_known_allows_nothing()
    {
        Assert.False((await DecideAsync(new AgentOptions { AskAlways = true, Approve = (_, _) => throw new InvalidOperationException() })).Allowed);
        Assert.False((await DecideAsync(new AgentOptions(), "elsewhere")).Allowed);
    }

    [Fact]
    public void Tools_that_no_run_takes_are_left_out_with_the_reason()
    {
        AIFunction[] odd =
        [
            Function("get-it"), Function("get_it"), Function(new string('n', 65)), Function("far", """{"properties":{"a":{"$ref":"http://127.0.0.1:1/x.json"}}}"""),
            Function("wide", "{\"description\":\"" + new string('x', 70_000) + "\"}"),
        ];

        var chosen = new BridgeableTools([.. odd, .. Enumerable.Range(0, 130).Select(i => Function("t" + i))]);

        Assert.Equal(128, chosen.Fitting.Count);
        Assert.Equal("get-it", chosen.Fitting[0].Name);
        Assert.Equal(["same name in Python", "can't be used", "another document", "too long", "128 tools", "128 tools", "128 tools"], chosen.LeftOut.Select(one => Array.Find(
            ["same name in Python", "another document", "too long", "128 tools", "can't be used"], why => one.Why.Contains(why, StringComparison.Ordinal)) ?? one.Why));
        Assert.Equal(128, new ToolBridge(new Support.FakeCove(), chosen.Fitting).Tools.Count);
    }

    private ValueTask<Approval> Answer(ToolCall call, Approval approval)
    {
        _asked.Add($"{call.Name} {call.Input.GetRawText()} {call.Id} {call.CorrelationId}");
        return new(approval);
    }

    private static ValueTask<HostCallDecision> DecideAsync(AgentOptions options, string tool = "send") => HostCallApproval.By([Function("send")], options)(
        new HostCall { Sandbox = SandboxId.New(), Run = RunId.New(), CallId = "call_1", Tool = tool, Arguments = JsonElement.Parse("""{"to":"a"}"""), CorrelationId = "corr" },
        TestContext.Current.CancellationToken);

    private static Declared Function(string name, string schema = "{}") => new(name, schema);

    private sealed class Declared(string name, string schema) : AIFunction
    {
        public override string Name => name;

        public override JsonElement JsonSchema { get; } = JsonElement.Parse(schema);

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => new((object?)null);
    }
}
