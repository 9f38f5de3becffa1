using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class JavaScriptConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task State_stays_and_the_last_value_comes_back()
    {
        await using var sandbox = await NodeAsync();
        AssertOk(await RunAsync(sandbox, "const a = 40; let b = 1; function add(x, y) { return x + y } class C { m() { return 1 } }"));
        Assert.Equal("42", (await RunAsync(sandbox, "b += 0; add(a, b) + new C().m()")).Value);
        Assert.Null((await RunAsync(sandbox, "undefined")).Value);
    }

    [Fact]
    public async Task Await_works_at_the_top_level()
    {
        await using var sandbox = await NodeAsync();
        AssertOk(await RunAsync(sandbox, "const x = await Promise.resolve(41)"));
        Assert.Equal("42", (await RunAsync(sandbox, "x + await new Promise(r => setTimeout(() => r(1), 1))")).Value);
    }

    [Fact]
    public async Task Both_streams_and_modules_work()
    {
        await using var sandbox = await NodeAsync();
        var run = await RunAsync(sandbox, "const path = require('path'); console.log(path.join('a', 'b')); console.error('err')");
        Assert.Equal(("a/b\n", "err\n"), (run.Stdout, run.Stderr));
        Assert.Equal("42\n", (await RunAsync(sandbox, "import fs from 'fs'; fs.writeFileSync('/workspace/f', '42'); console.log(String(fs.readFileSync('/workspace/f')))")).Stdout);
    }

    [Fact]
    public async Task An_exception_has_its_name_message_and_line()
    {
        await using var sandbox = await NodeAsync();
        var run = await RunAsync(sandbox, "const fine = 1\nnull.missing");
        AssertOutcome(RunOutcome.GuestError, "javascript_exception", run);
        Assert.Equal("TypeError", run.Result.Error!.Evidence!.ExceptionType);
        Assert.Contains(":2", run.Result.Error.Evidence.Traceback, StringComparison.Ordinal);
        Assert.Equal("1", (await RunAsync(sandbox, "fine")).Value);
        Assert.Equal("syntax_error", (await RunAsync(sandbox, "const = 1")).Result.Error!.Code);
    }

    [Fact]
    public async Task Leaving_ends_the_run_with_its_code()
    {
        await using var sandbox = await NodeAsync();
        var run = await RunAsync(sandbox, "process.exit(3)");
        Assert.Equal((RunOutcome.GuestError, 3, true), (run.Outcome, run.Result.ExitCode ?? -1, run.Result.StateLost));
        Assert.Contains("state_lost", run.Notices);
        Assert.Equal("1", (await RunAsync(sandbox, "1")).Value);
    }

    [Theory]
    [InlineData("while (true) {}")]
    [InlineData("await new Promise(() => {})")]
    public async Task An_interrupt_ends_the_cell_and_keeps_the_state(string code)
    {
        await using var sandbox = await NodeAsync();
        AssertOk(await RunAsync(sandbox, "var kept = 7"));
        var run = sandbox.Start(new RunRequest { Code = "console.log('in'); " + code, Language = Language.JavaScript, Timeout = TimeSpan.FromSeconds(60) });
        await run.SaidAsync("in");
        await sandbox.Cove.InterruptRunAsync(sandbox.Id, run.Id);
        AssertOutcome(RunOutcome.Interrupted, "interrupted", await run.Completion);
        Assert.Equal("7", (await RunAsync(sandbox, "kept")).Value);
    }

    [Fact]
    public async Task A_kernel_killed_by_its_own_code_is_started_anew()
    {
        await using var sandbox = await NodeAsync();
        var run = await RunAsync(sandbox, "process.kill(process.pid, 'SIGKILL')");
        Assert.Equal((RunOutcome.Killed, 137), (run.Outcome, run.Result.ExitCode ?? 0));
        Assert.True(run.Result.StateLost);
        Assert.Equal("2", (await RunAsync(sandbox, "1 + 1")).Value);
    }

    private static Task<Finished> RunAsync(TestSandbox sandbox, string code) =>
        sandbox.RunAsync(new RunRequest { Code = code, Language = Language.JavaScript, Timeout = TimeSpan.FromSeconds(60) });

    private async Task<TestSandbox> NodeAsync()
    {
        var languages = (await (await EngineAsync()).ListTemplatesAsync()).Single(t => t.Name == "base").Languages;
        Assert.SkipUnless(languages.ContainsKey("javascript"), "This host has no Node.js.");
        return await SandboxAsync();
    }
}
