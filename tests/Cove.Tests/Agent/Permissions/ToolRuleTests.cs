using System.Text.Json;
using Cove.Agent.Permissions;
using Cove.Agent.Tools.Sandbox;
using Cove.Tests.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.Permissions;

public sealed class ToolRuleTests
{
    [Theory]
    [InlineData("Edit(/src/**)", "/workspace/src/a/b.cs", true)]
    [InlineData("Edit(/src/**)", "src/a.cs", true)]
    [InlineData("Edit(/src/**)", "/workspace/srcs/a.cs", false)]
    [InlineData("Edit(/src/**)", "/workspace/src/../secret", false)]
    [InlineData("Edit(/src/**)", "/workspace/other/../src/a", true)]
    [InlineData("Edit(/src/**)", "/workspace/src//./a", true)]
    [InlineData("Edit(/src/**)", "/src/a", false)]
    [InlineData("Edit(/src/**)", "../src/a", false)]
    [InlineData("Edit(//tmp/x)", "/tmp/x", true)]
    [InlineData("Edit(~/notes/*.md)", "/home/user/notes/a.md", true)]
    [InlineData("Edit(~/notes/*.md)", "/home/user/notes/b/a.md", false)]
    [InlineData("Edit(*.py)", "/workspace/deep/down/a.py", true)]
    [InlineData("Edit(src/**)", "/workspace/src/a", true)]
    [InlineData("Edit(src/**)", "/workspace/vendor/src/a", false)]
    [InlineData("Edit(**/src/**)", "/workspace/vendor/src/a", true)]
    [InlineData("Edit(/docs)", "/workspace/docs/a", true)]
    [InlineData("Edit(/a?c)", "/workspace/abc", true)]
    [InlineData("Edit(/a?c)", "/workspace/a/c", false)]
    [InlineData("Edit(/[ab].txt)", "/workspace/b.txt", true)]
    [InlineData("Edit(/[!ab].txt)", "/workspace/b.txt", false)]
    [InlineData("Write(/src/**)", "/workspace/src/a", true)]
    [InlineData("Edit", "/etc/passwd", true)]
    public void Paths_are_matched_as_they_are(string rule, string path, bool allowed) =>
        Assert.Equal(allowed ? Permission.Allow : Permission.Ask, new ToolRules(allow: [rule]).Decide("write_file", Input(new { path, content = "x" })).Permission);

    [Theory]
    [InlineData("Read(.env)", "read_file", "/workspace/a/.env", Permission.Deny)]
    [InlineData("Read(secrets/**)", "read_file", "/workspace/a/secrets/b", Permission.Deny)]
    [InlineData("Read(.env)", "write_file", "/workspace/.env", Permission.Deny)]
    [InlineData("Edit(.env)", "read_file", "/workspace/.env", Permission.Allow)]
    [InlineData("Read", "list_files", "/workspace", Permission.Deny)]
    [InlineData("Read(//**/.env)", "read_file", "/tmp/x/.env", Permission.Deny)]
    [InlineData("read_file", "read_file", "/workspace/x", Permission.Deny)]
    [InlineData("*", "run_python", "x", Permission.Deny)]
    public void What_is_refused_is_read_generously(string rule, string tool, string path, Permission expected) =>
        Assert.Equal(expected, new ToolRules(allow: ["Read"], deny: [rule]).Decide(tool, Input(new { path })).Permission);

    [Theory]
    [InlineData("default", "read_file", Permission.Allow)]
    [InlineData("default", "write_file", Permission.Ask)]
    [InlineData("default", "run_python", Permission.Ask)]
    [InlineData("default", "mcp__x__y", Permission.Ask)]
    [InlineData("manual", "bash", Permission.Ask)]
    [InlineData("acceptEdits", "write_file", Permission.Allow)]
    [InlineData("acceptEdits", "run_python", Permission.Ask)]
    [InlineData("plan", "read_file", Permission.Allow)]
    [InlineData("plan", "write_file", Permission.Deny)]
    [InlineData("plan", "run_python", Permission.Deny)]
    [InlineData("bypassPermissions", "run_python", Permission.Allow)]
    [InlineData("bypassPermissions", "anything", Permission.Allow)]
    public void Each_mode_has_its_answer(string mode, string tool, Permission expected) =>
        Assert.Equal(expected, new ToolRules(mode: ToolRules.ParseMode(mode)).Decide(tool, Input(new { path = "/workspace/x", command = "ls" })).Permission);

    [Fact]
    public void Edits_outside_the_workspace_are_asked_about() =>
        Assert.Equal(Permission.Ask, new ToolRules(mode: PermissionMode.AcceptEdits).Decide("write_file", Input(new { path = "/workspace/../tmp/x" })).Permission);

    [Fact]
    public void Refusing_goes_before_asking_and_asking_before_allowing_whatever_the_mode()
    {
        var rules = new ToolRules(allow: ["Bash(git:*)"], ask: ["Bash(git push:*)"], deny: ["Bash(git push --force:*)"], mode: PermissionMode.BypassPermissions);
        Assert.Equal(Permission.Allow, CommandRuleTests.Decide(rules, "git log").Permission);
        Assert.Equal(Permission.Ask, CommandRuleTests.Decide(rules, "git push").Permission);
        Assert.Equal(Permission.Deny, CommandRuleTests.Decide(rules, "git push --force x").Permission);
        Assert.Equal(Permission.Deny, new ToolRules(allow: ["Bash"], mode: PermissionMode.Plan).Decide("bash", Input(new { command = "ls" })).Permission);
    }

    [Theory]
    [InlineData("mcp__github", "mcp__github__get_issue", true)]
    [InlineData("mcp__github__get_issue", "mcp__github__get_issue", true)]
    [InlineData("mcp__github__get_*", "mcp__github__get_issue", true)]
    [InlineData("mcp__github__get_*", "mcp__github__delete", false)]
    [InlineData("mcp__git", "mcp__github__get_issue", false)]
    [InlineData("Python", "run_python", true)]
    [InlineData("run_python", "run_python", true)]
    [InlineData("Memory", "memory", true)]
    public void Tools_are_named(string rule, string tool, bool allowed) =>
        Assert.Equal(allowed ? Permission.Allow : Permission.Ask, new ToolRules(allow: [rule]).Decide(tool, Input(new { })).Permission);

    [Fact]
    public void A_field_of_the_input_can_be_asked_about()
    {
        var rules = new ToolRules(allow: ["deploy"], ask: ["deploy(target:prod*)"]);
        Assert.Equal(Permission.Ask, rules.Decide("deploy", Input(new { target = "production" })).Permission);
        Assert.Equal(Permission.Allow, rules.Decide("deploy", Input(new { target = "test" })).Permission);
    }

    [Theory]
    [InlineData("Bash(npm run test", "it is no rule")]
    [InlineData("", "it is no rule")]
    [InlineData("*", "names its tool")]
    [InlineData("mcp__*", "names its tool")]
    [InlineData("Python(x)", "only Bash, Read, Edit and Write take a specifier")]
    public void A_rule_that_cannot_mean_what_it_says_is_refused(string rule, string said) =>
        Assert.Contains(said, Assert.Throws<ArgumentException>(() => new ToolRules(allow: [rule])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_list_in_one_text_is_split_outside_parentheses() =>
        Assert.Equal(["Bash(git log, x:*)", "Read", "Edit(/a b)"], ToolRules.Split("Bash(git log, x:*),Read  Edit(/a b)"));

    [Fact]
    public void A_foreign_tool_with_one_of_our_names_has_none_of_our_rights()
    {
        var foreign = AIFunctionFactory.Create((string path) => path, "read_file");
        Assert.Equal(Permission.Ask, new ToolRules().Decide(foreign, Input(new { path = "/workspace/x" })).Permission);
        Assert.Equal(Permission.Allow, new ToolRules().Decide(new ReadFileTool(new FakeCove(), SandboxId.New()), Input(new { path = "/workspace/x" })).Permission);
    }

    [Fact]
    public async Task Any_tool_can_need_approval_in_every_mode()
    {
        var (cove, sandbox) = await SandboxBench.FakeAsync();
        var tool = new ApprovalRequiredAIFunction(new RunPythonTool(cove, sandbox));
        Assert.Equal(Permission.Ask, new ToolRules(allow: ["Python"], mode: PermissionMode.BypassPermissions).Decide(tool, Input(new { code = "1" })).Permission);
        Assert.Equal(Permission.Deny, new ToolRules(deny: ["Python"]).Decide(tool, Input(new { code = "1" })).Permission);
    }

    [Fact]
    public void What_is_refused_altogether_need_not_be_told()
    {
        var python = new RunPythonTool(new FakeCove(), SandboxId.New());
        Assert.NotNull(new ToolRules(deny: ["Python"]).RefusedAltogether(python));
        Assert.NotNull(new ToolRules(deny: ["run_*"]).RefusedAltogether(python));
        Assert.Null(new ToolRules(deny: ["Bash(rm:*)"]).RefusedAltogether(new BashTool(new FakeCove(), SandboxId.New())));
        Assert.Null(new ToolRules(deny: ["Edit"]).RefusedAltogether(new EditorTool(new FakeCove(), SandboxId.New())));
    }

    private static JsonElement Input(object value) => JsonSerializer.SerializeToElement(value);
}
