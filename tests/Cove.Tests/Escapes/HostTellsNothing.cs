using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>The host's environment, names, users, mounts, and what /proc would say of it, are not to be read.</summary>
public abstract class HostTellsNothing(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    [Fact]
    public async Task The_environment_of_the_engine_is_not_to_be_found_anywhere()
    {
        var secret = Attack.NewSecret();
        Environment.SetEnvironmentVariable("COVE_ESCAPE_SECRET", secret);
        try
        {
            // An engine of its own: it starts its launcher with this environment around it.
            await using var cove = await Engine.FreshAsync();
            await using var sandbox = await TestSandbox.CreateAsync(cove);
            await AssertHeldAsync(sandbox, Attack.ScanProc);
            await AssertHeldInCommandAsync(sandbox, Attack.ScanProc);
            foreach (var line in new[] { "env", "cat /proc/*/environ | tr '\\0' '\\n'", "set" })
            {
                Assert.DoesNotContain("COVE_ESCAPE", (await sandbox.ShellAsync(line)).Stdout, StringComparison.Ordinal);
            }
        }
        finally
        {
            Environment.SetEnvironmentVariable("COVE_ESCAPE_SECRET", null);
        }
    }

    [Fact]
    public async Task Names_and_users_are_the_sandboxs_own()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.ShellAsync("cut -d: -f1 /etc/passwd /etc/group | sort -u | tr '\\n' ' '; hostname; uname -n; cat /etc/hostname /proc/sys/kernel/hostname; getent passwd 1000 | cut -d: -f1");
        Assert.Equal("nobody nogroup root user cove\ncove\ncove\ncove\nuser\n", run.Stdout);
        await AssertHeldAsync(sandbox, $"""
            host = "{Environment.MachineName}"
            got.extend(p for p in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/machine-id", "/etc/passwd", "/etc/group", "/proc/version") if host in open(p).read())
            got.extend(open("/etc/resolv.conf").read().split() + open("/etc/machine-id").read().split())
            """);
    }

    [Fact]
    public async Task Mounts_name_no_path_of_the_host()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.ShellAsync("cat /proc/self/mountinfo /proc/self/mounts /proc/self/mountstats /proc/self/cgroup");
        Assert.Contains("/workspace", run.Stdout, StringComparison.Ordinal);
        foreach (var name in HostNames())
        {
            Assert.DoesNotContain(name, run.Stdout, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Command_lines_name_no_path_of_the_host()
    {
        await using var sandbox = await SandboxAsync();
        const string Look = "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'";
        string[] seen =
        [
            (await sandbox.ShellAsync(Look)).Stdout,
            (await sandbox.RunAsync(new RunRequest { Code = Look + "; cat /proc/$PPID/cmdline", Language = Language.Bash })).Stdout,
            (await sandbox.PythonAsync("import subprocess, sys; print(open('/proc/self/cmdline').read(), sys.orig_argv, sys.path, subprocess.getoutput('cat /proc/[0-9]*/cmdline'))")).Stdout,
            (await sandbox.RunAsync(new RunRequest { Code = "console.log(process.argv, process.execArgv, require('child_process').execSync('cat /proc/[0-9]*/cmdline').toString())", Language = Language.JavaScript })).Stdout,
        ];
        Assert.All(seen, text => Assert.NotEqual("", text));
        foreach (var name in HostNames())
        {
            Assert.All(seen, text => Assert.DoesNotContain(name, text, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Proc_says_nothing_of_the_host()
    {
        await using var sandbox = await SandboxAsync();
        // Facts of this host that hold still, taken from where they would leak.
        var facts = new Dictionary<string, string?>
        {
            ["boot id"] = Read("/proc/sys/kernel/random/boot_id"),
            ["kernel command line"] = Read("/proc/cmdline"),
            ["version"] = Read("/proc/version"),
            ["memory"] = Word("/proc/meminfo", "MemTotal:"),
            ["boot time"] = Word("/proc/stat", "btime"),
            ["machine id"] = Read("/etc/machine-id"),
        };
        var known = facts.Where(f => f.Value is { Length: > 4 }).ToList();
        Assert.True(known.Count >= 4, "this host's own /proc could not be read");
        var table = string.Join(", ", known.Select(f => $"'{f.Key}': bytes.fromhex('{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(f.Value!))}')"));
        await AssertHeldAsync(sandbox, $$"""
            facts = { {{table}} }
            seen = 0
            for top, folders, names in os.walk("/proc"):
                folders[:] = [f for f in folders if not f.isdigit() and f not in ("self", "thread-self")]
                for name in names:
                    path = os.path.join(top, name)
                    try:
                        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                        text = os.read(descriptor, 1 << 16)
                        os.close(descriptor)
                    except OSError:
                        continue
                    seen += 1
                    got.extend(f"{path} tells the {fact}" for fact, value in facts.items() if value in text)
            if seen < 50:
                got.append(f"only {seen} files of /proc were read")
            """);
    }

    [Fact]
    public async Task Counters_that_show_how_busy_the_host_is_stand_still()
    {
        await using var one = await SandboxAsync();
        const string Read = """
            for path in ("uptime", "loadavg", "stat", "meminfo", "vmstat", "interrupts", "softirqs", "diskstats", "schedstat", "slabinfo", "buddyinfo", "zoneinfo", "locks",
                         "cgroups", "keys", "key-users", "timer_list", "swaps", "partitions", "modules", "kallsyms", "pressure/cpu", "pressure/memory", "pressure/io",
                         "sys/fs/file-nr", "sys/fs/inode-nr", "sys/fs/inode-state", "sys/fs/dentry-state", "sys/fs/aio-nr", "sys/kernel/pty/nr", "sys/kernel/random/boot_id"):
                try:
                    print(path, open("/proc/" + path, "rb").read())
                except OSError as error:
                    print(path, error.errno)
            """;
        var before = await one.PythonAsync(Read);
        // Work that moves every one of them on the host.
        await using var two = await SandboxAsync();
        await two.ShellAsync("ls -lR /usr/lib/python3 > /tmp/list; wc /tmp/list; for i in 1 2 3 4 5; do bash -c :; done");
        var after = await one.PythonAsync(Read);
        Assert.Contains("uptime", before.Stdout, StringComparison.Ordinal);
        Assert.Equal(before.Stdout, after.Stdout);
    }

    private static IEnumerable<string> HostNames() => new[]
    {
        LiveEngine.Repository, LiveEngine.StateDirectory, Path.GetTempPath().TrimEnd('/') + "/cove-", Environment.MachineName, "launcher.sock",
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 5 } home ? home : LiveEngine.Repository,
    }.Where(n => n.Length > 3);

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Word(string path, string before) =>
        Read(path)?.Split('\n').FirstOrDefault(l => l.StartsWith(before, StringComparison.Ordinal))?[before.Length..].Trim().Split(' ')[0] ?? "";
}
