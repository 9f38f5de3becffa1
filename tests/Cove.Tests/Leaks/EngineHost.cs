using Cove.Engine;
using Cove.Tests.Chaos;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Tests.Leaks;

/// <summary>
/// A process with an engine and nothing else in it, so that its descriptors can be counted and it can be killed. It obeys one
/// word a line on its input and says `done` after each.
/// </summary>
internal static class EngineHost
{
    public const string Word = "host-engine";

    /// <summary>Names the directory its journals are in, if they are.</summary>
    public const string Journal = "COVE_TEST_JOURNAL";

    private const int AtOnce = 8;

    public static async Task<int> RunAsync(string state)
    {
        var options = OwnEngine.Options(state, poolSize: 2);
        options = options with { Engine = options.Engine with { JournalDirectory = Environment.GetEnvironmentVariable(Journal) } };
        var engine = await LocalEngine.StartAsync(options, TimeProvider.System, NullLogger.Instance);
        Console.WriteLine("done");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            switch (line.Split(' '))
            {
                case ["churn", var count]:
                    await ChurnAsync(engine, int.Parse(count));
                    break;
                case ["hold"]:
                    await HoldAsync(engine);
                    break;
                case ["stop"]:
                    await engine.DisposeAsync();
                    break;
                default:
                    return 1;
            }

            Console.WriteLine("done");
        }

        return 0;
    }

    private static async Task ChurnAsync(SandboxEngine engine, int count)
    {
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) is >= 0 and var turn)
            {
                await using var sandbox = await TestSandbox.CreateAsync(engine);
                await UseAsync(sandbox, turn);
            }
        }));
    }

    /// <summary>Something of everything, and not all of it comes to a good end.</summary>
    private static async Task UseAsync(TestSandbox sandbox, int turn)
    {
        await sandbox.WriteAsync("/workspace/f", "text");
        switch (turn % 5)
        {
            case 0:
                await sandbox.PythonAsync("import subprocess; subprocess.Popen(['sleep', '3600'], start_new_session=True)");
                break;
            case 1:
                await sandbox.ShellAsync("cat f; head -c 1200000 /dev/zero; sleep 3600 &");
                break;
            case 2:
                await sandbox.PythonAsync("import os; os.kill(os.getpid(), 9)");
                break;
            case 3:
                await sandbox.RunAsync(new RunRequest { Code = "echo $((1+1)); nohup sleep 3600 &", Language = Language.Bash });
                break;
            default:
                var run = sandbox.StartPython("print('in')\nwhile True: pass");
                await run.SaidAsync("in");
                await sandbox.DisposeAsync(); // in the middle of it
                await run.Completion;
                break;
        }
    }

    private static async Task HoldAsync(SandboxEngine engine)
    {
        for (var i = 0; i < 3; i++)
        {
            var sandbox = await TestSandbox.CreateAsync(engine);
            LiveRun[] runs =
            [
                sandbox.StartPython("print('in'); import time; time.sleep(3600)"),
                sandbox.Start(new RunRequest { ShellLine = "echo in; setsid sleep 3600 & sleep 3600", Timeout = TimeSpan.FromHours(1) }),
            ];
            await Task.WhenAll(runs.Select(r => r.SaidAsync("in")));
        }
    }
}
