using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>No process of a sandbox has a privilege, and none can gain one.</summary>
public abstract class NoPrivileges(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    private const string Read = "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -s '\\t ' ' '";

    private const string Powerless = """
        Uid: 1000 1000 1000 1000
        Gid: 1000 1000 1000 1000
        CapInh: 0000000000000000
        CapPrm: 0000000000000000
        CapEff: 0000000000000000
        CapBnd: 0000000000000000
        CapAmb: 0000000000000000
        NoNewPrivs: 1
        Seccomp: 2
        """;

    [Fact]
    public async Task Kernels_commands_and_their_children_have_none()
    {
        await using var sandbox = await SandboxAsync();
        var code = $"""import subprocess; print(open("/proc/self/status").read()); print(subprocess.check_output(r"{Read}", shell=True, text=True))""";
        var python = (await sandbox.PythonAsync(code)).Stdout.Replace("\t", " ", StringComparison.Ordinal);
        foreach (var line in Powerless.Split('\n'))
        {
            Assert.Equal(3, python.Split(line).Length); // the kernel's own and its child's
        }

        string[] seen =
        [
            (await sandbox.ShellAsync(Read)).Stdout,
            (await sandbox.ShellAsync($"bash -c \"setsid bash -c '{Read.Replace("'", "'\\''", StringComparison.Ordinal)}'\" || {Read}")).Stdout,
            (await sandbox.RunAsync(new RunRequest { Code = $"exec 3</proc/self/status; {Read}; grep -E 'Cap|NoNew' /proc/$$/status > /dev/null", Language = Language.Bash })).Stdout,
            (await sandbox.RunAsync(new RunRequest { Code = "console.log(require('fs').readFileSync('/proc/self/status', 'utf8').replaceAll('\\t', ' '))", Language = Language.JavaScript })).Stdout,
        ];
        foreach (var line in Powerless.Split('\n'))
        {
            Assert.All(seen, text => Assert.Contains(line, text, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Seen_from_the_host_no_process_of_a_sandbox_has_any()
    {
        if (LiveEngine.Privilege == "bare")
        {
            Assert.Skip("bare: sandboxes share the test's own user id, so the host cannot tell their processes by it");
        }

        await using var sandbox = await SandboxAsync();
        var user = await HostProcesses.UserOfAsync(sandbox);
        // One of each kind: kernels, their shims, a command, a file worker, PID 1.
        await sandbox.PythonAsync("1");
        await sandbox.RunAsync(new RunRequest { Code = "true", Language = Language.Bash });
        await sandbox.RunAsync(new RunRequest { Code = "1", Language = Language.JavaScript });
        await sandbox.Cove.MakeDirectoryAsync(sandbox.Id, "/workspace/x");
        var command = sandbox.Start(new RunRequest { ShellLine = "echo in; while [ ! -e /tmp/go ]; do sleep 0.05; done", Timeout = Generous });
        await command.SaidAsync("in"); // one that is just entering has not dropped everything yet, and runs nothing of the guest's
        var seen = HostProcesses.Of(user);
        Assert.True(seen.Count >= 6, string.Join("\n", seen.Select(p => p.Name)));
        foreach (var process in seen)
        {
            foreach (var set in new[] { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" })
            {
                Assert.True(Convert.ToInt64(process[set], 16) == 0, $"{process.Name} {set} {process[set]}");
            }

            Assert.Equal("1", process["NoNewPrivs"]);
        }

        await sandbox.WriteAsync("/tmp/go", "");
        await command.Completion;
    }

    [Fact]
    public async Task No_id_but_its_own_exists_or_can_be_taken()
    {
        await using var sandbox = await SandboxAsync();
        const string Code = """
            got.extend(f"{name} {line}" for name in ("uid_map", "gid_map") for line in open("/proc/self/" + name) if line.split()[0] != "1000" or line.split()[2] != "1")
            for ids in ((0, 0, 0), (65534, 65534, 65534), (1, 1, 1)):
                attempt(f"setresuid {ids}", lambda: os.setresuid(*ids))
                attempt(f"setresgid {ids}", lambda: os.setresgid(*ids))
            attempt("setgroups", lambda: os.setgroups([0]))
            attempt("setgroups own", lambda: os.setgroups([1000]))
            attempt("oom_score_adj", lambda: put("/proc/self/oom_score_adj", b"-1000"))
            attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5))
            attempt("realtime", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
            attempt("capabilities", lambda: libc.capset(ctypes.byref((ctypes.c_uint32 * 2)(0x20080522, 0)), ctypes.byref((ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6))) == 0 or os.open("", 0))
            import resource
            for limit in ("NOFILE", "NPROC", "CORE", "MEMLOCK", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO"):
                which = getattr(resource, "RLIMIT_" + limit)
                hard = resource.getrlimit(which)[1]
                try:
                    resource.setrlimit(which, (hard, hard + 1))
                    if resource.getrlimit(which)[1] != hard:
                        got.append("raised " + limit)
                except (OSError, ValueError):
                    pass
            """;
        await AssertHeldAsync(sandbox, Code);
        await AssertHeldInCommandAsync(sandbox, Code);
    }

    [Fact]
    public async Task Programs_with_the_setuid_bit_give_nothing()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldAsync(sandbox, """
            import shutil, subprocess
            for line in open("/proc/self/mountinfo"):
                if "nosuid" not in line.split()[5]:
                    got.append("setuid counts on " + line.split()[4])
            for folder in ("/usr/bin", "/usr/sbin", "/usr/lib"):
                for entry in os.scandir(folder):
                    mode = entry.stat(follow_symlinks=False).st_mode
                    if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID) and os.access(entry.path, os.X_OK):
                        # Whoever gains something has it in this file before the program has read a word.
                        child = subprocess.Popen([entry.path, "--version"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                        try:
                            status = open(f"/proc/{child.pid}/status").read()
                            if "CapPrm:\t0000000000000000" not in status or "Uid:\t1000\t1000\t1000\t1000" not in status:
                                got.append(entry.path)
                        except OSError:
                            pass
                        child.kill()
                        child.communicate()
            shutil.copy("/usr/bin/id", "/tmp/id")
            os.chmod("/tmp/id", 0o6755)
            if subprocess.check_output(["/tmp/id", "-u"]) != b"1000\n":
                got.append("a setuid copy")
            """);
        var su = await sandbox.ShellAsync("su -c id; sudo id; newuidmap $$ 0 0 1; pkexec id; mount -t tmpfs none /tmp; ping -c1 127.0.0.1");
        Assert.DoesNotContain("uid=0", su.Stdout, StringComparison.Ordinal);
    }
}
