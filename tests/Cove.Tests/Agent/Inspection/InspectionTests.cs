using Cove.Agent.Inspection;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Cove.Tests.Agent.Tools;
using Xunit;

namespace Cove.Tests.Agent.Inspection;

public sealed class InspectionTests
{
    [Theory]
    [InlineData(Language.Python, "x = 1\nos.system('ls')", CodeConcern.Subprocess, 2, "os.system(")]
    [InlineData(Language.Python, "import subprocess", CodeConcern.Subprocess, 1, "subprocess")]
    [InlineData(Language.Python, "!pip install x", CodeConcern.Subprocess, 1, "!pip install x")]
    [InlineData(Language.Python, "y = eval(text)", CodeConcern.DynamicCode, 1, "eval(")]
    [InlineData(Language.Python, "pickle.loads(b)", CodeConcern.DynamicCode, 1, "pickle.loads(")]
    [InlineData(Language.Python, "\n\nfrom urllib import request", CodeConcern.Network, 3, "from urllib")]
    [InlineData(Language.Python, "shutil.rmtree(p)", CodeConcern.Destruction, 1, "shutil.rmtree(")]
    [InlineData(Language.Python, "open('/etc/shadow')", CodeConcern.Secrets, 1, "/etc/shadow")]
    [InlineData(Language.Bash, "cd /\nrm -f -rf *", CodeConcern.Destruction, 2, "rm -f -rf")]
    [InlineData(Language.Bash, "curl https://x", CodeConcern.Network, 1, "curl h")]
    [InlineData(Language.Bash, "echo x | sh", CodeConcern.DynamicCode, 1, "| sh")]
    [InlineData(Language.Bash, "cat ~/.ssh/id_rsa", CodeConcern.Secrets, 1, ".ssh/")]
    public void What_is_found_is_named_with_its_line(Language language, string code, CodeConcern concern, int line, string evidence) =>
        Assert.Contains(new CodeFinding(concern, line, evidence), CodeInspector.Inspect(code, language));

    [Theory]
    [InlineData("import pandas as pd\nprint(pd.DataFrame({'a': [1]}).eval('a + 1'))")]
    [InlineData("# os.system would be a bad idea\nprint(retrieval(1), evaluate(2))")]
    public void Ordinary_code_has_no_findings(string code) => Assert.Empty(CodeInspector.Inspect(code, Language.Python));

    [Fact]
    public void A_line_made_to_be_looked_at_for_ever_is_a_finding_and_no_failure() =>
        Assert.Contains(CodeInspector.Inspect(string.Concat(Enumerable.Repeat("dd ", 300_000)), Language.Bash), f => f.Evidence.Contains("too long to look at", StringComparison.Ordinal));

    [Fact]
    public void It_is_bounded() => Assert.Equal(50, CodeInspector.Inspect(string.Concat(Enumerable.Repeat("eval(1)\n", 100_000)), Language.Python).Count);

    [Fact]
    public async Task Advice_is_added_and_the_code_runs_and_a_refusal_runs_nothing()
    {
        var (cove, sandbox) = await SandboxBench.FakeAsync();
        cove.Run = run =>
        {
            run.Print("ran\n");
            return Task.CompletedTask;
        };
        var advised = await new InspectedTool(new RunPythonTool(cove, sandbox), Language.Python).CallAsync(new { code = "os.system('x')" });
        Assert.Null(advised.Error);
        Assert.Equal("ran\n", advised.Field("stdout"));
        Assert.EndsWith("[inspection: line 1: subprocess (os.system()]", advised.Text(), StringComparison.Ordinal);

        var guarded = new InspectedTool(new BashTool(cove, sandbox), Language.Bash, f => f.Concern == CodeConcern.Destruction ? InspectionAction.Refuse : null);
        Assert.Equal("bash", guarded.Name);
        Assert.Null((await guarded.CallAsync(new { command = "curl x" })).Error);
        var before = cove.LastRun;
        var refused = await guarded.CallAsync(new { command = "ls\nrm -rf /" });
        Assert.Equal((ToolErrorCategory.Policy, true), (refused.Error!.ErrorCategory, refused.Error.IsRetryable));
        Assert.Contains("line 2: destruction (rm -rf)", refused.Error.Context, StringComparison.Ordinal);
        Assert.Same(before, cove.LastRun);
    }
}
