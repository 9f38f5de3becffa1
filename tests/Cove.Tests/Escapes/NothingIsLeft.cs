using System.Globalization;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>When a sandbox has ended nothing of it is left: no process, no mount, no control group, no file, no descriptor of the engine.</summary>
public abstract class NothingIsLeft(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    private const string Daemons = """
        import os, signal, time
        for i in range(10):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    for s in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD): signal.signal(s, signal.SIG_IGN)
                    os.closerange(0, 64)
                    while True:
                        time.sleep(1000)
                os._exit(0)
        """;

    [Fact]
    public async Task Daemons_that_ignore_every_signal_are_gone()
    {
        if (LiveEngine.Privilege == "bare")
        {
            Assert.Skip("bare: sandboxes share the test's own user id, so the host cannot tell their processes by it");
        }

        var sandbox = await SandboxAsync();
        var user = await HostProcesses.UserOfAsync(sandbox);
        await sandbox.PythonAsync(Daemons);
        await sandbox.ShellAsync("(setsid nohup sleep 1000 &) ; (trap '' TERM HUP INT; sleep 1000 &)");
        Assert.True(HostProcesses.Of(user).Count >= 10);
        await sandbox.DisposeAsync();
        await EventuallyAsync(() => HostProcesses.Of(user).Count == 0, () => string.Join("\n", HostProcesses.Of(user).Select(p => p.Name)));
    }

    [Fact]
    public async Task An_engine_that_made_and_ended_sandboxes_holds_what_it_held_before()
    {
        await Engine.SharedRestsAsync();
        await using var cove = await Engine.FreshAsync();
        await UseAsync(cove); // what is made once and kept is made now
        var before = await SettledAsync();
        for (var i = 0; i < 10; i++)
        {
            await UseAsync(cove);
        }

        await EventuallyAsync(() => HeldNow().Count <= before.Count, () => $"{before.Count} before, {HeldNow().Count} after, among them new: {string.Join(", ", HeldNow().Except(before))}");
    }

    [Fact]
    public async Task An_engine_that_ended_leaves_nothing_at_all()
    {
        await Engine.SharedRestsAsync(); // what its pools start meanwhile is not of this engine
        var processes = Ours();
        var files = TemporaryFiles();
        var groups = Groups();
        var mounts = Mounts();
        await using (var cove = await Engine.FreshAsync())
        {
            await UseAsync(cove);
            var open = await TestSandbox.CreateAsync(cove); // left open: the engine's end ends it
            await open.PythonAsync(Daemons);
        }

        await EventuallyAsync(() => !Ours().Except(processes).Any(), () => string.Join("\n", Ours().Except(processes)));
        await EventuallyAsync(() => !TemporaryFiles().Except(files).Any(), () => string.Join("\n", TemporaryFiles().Except(files)));
        await EventuallyAsync(() => !Groups().Except(groups).Any(), () => string.Join("\n", Groups().Except(groups)));
        await EventuallyAsync(() => !Mounts().Except(mounts).Any(), () => string.Join("\n", Mounts().Except(mounts))); // the host mounts and unmounts for its own services, too
    }

    private static async Task UseAsync(ICove cove)
    {
        await using var sandbox = await TestSandbox.CreateAsync(cove);
        await sandbox.PythonAsync(Daemons);
        await sandbox.RunAsync(new RunRequest { Code = "sleep 1000 & disown; echo hi", Language = Language.Bash });
        await sandbox.ShellAsync("(setsid sleep 1000 &)");
        await sandbox.Cove.WriteFileAsync(sandbox.Id, "/workspace/file", new MemoryStream(new byte[1 << 20]));
        await using var left = await sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/file");
    }

    /// <summary>Descriptors of this process and control groups of its engines: what a leak would show in.</summary>
    private static List<string> HeldNow() =>
        [.. Directory.EnumerateFiles("/proc/self/fd").Select(f => new FileInfo(f).LinkTarget ?? "").Where(IsOurs).Order(), .. Groups()];

    /// <summary>What an engine could hold of a sandbox; the runtime opens its own files when it likes.</summary>
    private static bool IsOurs(string target) =>
        target.StartsWith("socket:", StringComparison.Ordinal) || target.StartsWith("pipe:", StringComparison.Ordinal) || target.StartsWith("anon_inode:", StringComparison.Ordinal)
        || target.StartsWith("/sys/", StringComparison.Ordinal) || target.EndsWith("(deleted)", StringComparison.Ordinal);

    /// <summary>Reads until two looks agree, since the end of a sandbox goes on a little behind its answer.</summary>
    private static async Task<List<string>> SettledAsync()
    {
        var held = HeldNow();
        for (var i = 0; i < 100; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
            var again = HeldNow();
            if (again.Count == held.Count)
            {
                break;
            }

            held = again;
        }

        return held;
    }

    private static HashSet<string> Mounts() => [.. File.ReadAllLines("/proc/self/mountinfo")];

    private static HashSet<string> TemporaryFiles() => [.. Directory.EnumerateFileSystemEntries(Path.GetTempPath(), "cove-*").Where(f => f != TemporaryPlace.Path)]; // the tests' own place lasts as long as they do

    /// <summary>This user's control groups: another's tests may run at the same time.</summary>
    private static HashSet<string> Groups() => Directory.Exists("/sys/fs/cgroup")
        ? [.. Directory.EnumerateDirectories("/sys/fs/cgroup", "cove-*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Where(d => global::Cove.Cli.Libc.Stat(d)?.User == global::Cove.Cli.Libc.EffectiveUser())]
        : [];

    /// <summary>Everything that descends from this process.</summary>
    private static HashSet<string> Ours()
    {
        var all = HostProcesses.All().ToDictionary(p => p.Pid);
        var own = Environment.ProcessId;
        return [.. all.Values.Where(p => Descends(p)).Select(p => $"{p.Pid} {p.Name}")];

        bool Descends(HostProcess process)
        {
            for (var depth = 0; depth < 64; depth++)
            {
                var parent = int.Parse(process["PPid"], CultureInfo.InvariantCulture);
                if (parent == own)
                {
                    return true;
                }

                if (!all.TryGetValue(parent, out process!))
                {
                    return false;
                }
            }

            return false;
        }
    }

    private static async Task EventuallyAsync(Func<bool> condition, Func<string> otherwise)
    {
        for (var i = 0; i < 1200 && !condition(); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.True(condition(), otherwise());
    }
}
