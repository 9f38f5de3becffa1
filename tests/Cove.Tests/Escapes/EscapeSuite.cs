using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>An engine whose sandboxes are attacked. Each backend brings its own and inherits every suite in this folder.</summary>
public interface IEngineUnderAttack
{
    /// <summary>The engine that all suites share.</summary>
    Task<ICove> SharedAsync();

    /// <summary>Waits until the shared engine starts nothing by itself, for tests that count what the whole process has.</summary>
    Task SharedRestsAsync();

    /// <summary>An engine of a test's own, without a pool; the caller disposes it.</summary>
    Task<ICove> FreshAsync();
}

/// <summary>What the suites of attacks have in common. Each of them holds one promise of SECURITY.md against an attacker.</summary>
public abstract class EscapeSuite(IEngineUnderAttack engine)
{
    /// <summary>What an attack prints that got nothing.</summary>
    protected const string Held = "held\n";

    protected static TimeSpan Generous { get; } = TimeSpan.FromSeconds(60);

    protected IEngineUnderAttack Engine => engine;

    protected async Task<TestSandbox> SandboxAsync(SandboxLimitsRequest? limits = null, string template = "base") =>
        await TestSandbox.CreateAsync(await engine.SharedAsync(), new SandboxRequest { Template = template, Limits = limits, CreateTimeout = Generous });

    /// <summary>Runs an attack in the Python kernel; whatever it got is named in the failure.</summary>
    protected static async Task AssertHeldAsync(TestSandbox sandbox, string attack)
    {
        var run = await sandbox.PythonAsync(Attack.Script(attack), Generous);
        Assert.True(run.Outcome == RunOutcome.Ok && run.Stdout == Held, run.ToString());
    }

    /// <summary>Runs the same attack from a command, which came in another way than a kernel.</summary>
    protected static async Task AssertHeldInCommandAsync(TestSandbox sandbox, string attack)
    {
        var run = await sandbox.RunAsync(new RunRequest
        {
            Argv = ["python3", "-"], Stdin = System.Text.Encoding.UTF8.GetBytes(Attack.Script(attack)), Timeout = Generous,
        });
        Assert.True(run.Outcome == RunOutcome.Ok && run.Stdout == Held, run.ToString());
    }

    protected static async Task AssertAnswersAsync(TestSandbox sandbox)
    {
        var run = await sandbox.PythonAsync("1+1", Generous);
        Assert.True(run.Value == "2", run.ToString());
    }
}
