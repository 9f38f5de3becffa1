using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>Nothing of one sandbox is visible to another: files, shared memory, System V and POSIX IPC, processes, sockets, what it opens, who it is.</summary>
public abstract class OtherSandboxesAreInvisible(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    [Fact]
    public async Task Files_of_one_are_not_found_by_another()
    {
        await using var victim = await SandboxAsync();
        await using var attacker = await SandboxAsync();
        var secret = Attack.NewSecret();
        await victim.PythonAsync($"""
            for folder in ("/workspace", "/tmp", "/home/user", "/dev/shm"):
                open(folder + "/{secret}", "w").write("{secret}")
            """);
        const string Search = """
            for top, folders, names in os.walk("/"):
                folders[:] = [f for f in folders if os.path.join(top, f) not in ("/usr", "/proc")]
                got.extend(os.path.join(top, n) for n in names if n.startswith("PLANT"))
            """;
        Assert.Contains(secret, (await victim.PythonAsync(Attack.Script(Search))).Stdout, StringComparison.Ordinal);
        await AssertHeldAsync(attacker, Search);
        await AssertHeldInCommandAsync(attacker, Search);
        await Assert.ThrowsAsync<CoveException>(() => attacker.Cove.ReadFileAsync(attacker.Id, $"/workspace/{secret}"));
    }

    [Fact]
    public async Task Shared_memory_semaphores_and_queues_are_not_shared()
    {
        await using var victim = await SandboxAsync();
        await using var attacker = await SandboxAsync();
        const string Make = """
            from multiprocessing import shared_memory
            kept = shared_memory.SharedMemory("common", create=True, size=4096)
            made = [libc.shmget(0x1234, 4096, 0o1666), libc.semget(0x1234, 1, 0o1666), libc.msgget(0x1234, 0o1666)]
            if -1 in made:
                got.append(f"nothing was planted: {made}")
            """;
        await AssertHeldAsync(victim, Make);
        const string Look = """
            for call in ("shmget", "semget", "msgget"):
                arguments = (0x1234, 0, 0) if call != "msgget" else (0x1234, 0)
                if getattr(libc, call)(*arguments) != -1:
                    got.append(call)
            for kind in ("shm", "sem", "msg"):
                got.extend(kind + line for line in open("/proc/sysvipc/" + kind).read().splitlines()[1:])
            # Ids count up from 0 in a namespace of its own; one of another's would be there for the asking.
            for number in range(0, 64):
                if libc.shmat(number, 0, 0o10000) != -1:
                    got.append(f"shmat({number})")
            attempt("posix", lambda: open("/dev/shm/common", "rb"))
            """;
        Assert.NotEqual(Held, (await victim.PythonAsync(Attack.Script(Look))).Stdout);
        await AssertHeldAsync(attacker, Look);
        await AssertHeldInCommandAsync(attacker, Look);
    }

    [Fact]
    public async Task Abstract_sockets_and_ports_are_not_shared()
    {
        await using var victim = await SandboxAsync();
        await using var attacker = await SandboxAsync();
        await victim.PythonAsync("""
            import socket
            a = socket.socket(socket.AF_UNIX); a.bind("\0common"); a.listen()
            b = socket.create_server(("127.0.0.1", 8123))
            """);
        const string Connect = """
            attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\0common"))
            attempt("port", lambda: socket.create_connection(("127.0.0.1", 8123), 2))
            """;
        Assert.NotEqual(Held, (await victim.PythonAsync(Attack.Script(Connect))).Stdout);
        await AssertHeldAsync(attacker, Connect);
    }

    [Fact]
    public async Task Processes_of_one_can_be_neither_seen_nor_signalled_by_another()
    {
        await using var victim = await SandboxAsync();
        await using var attacker = await SandboxAsync();
        await victim.PythonAsync("import subprocess; child = subprocess.Popen(['sleep', '54321'])");
        Assert.Contains("54321", (await victim.PythonAsync("import subprocess; print(subprocess.getoutput('ps ax'))")).Stdout, StringComparison.Ordinal);
        const string Look = """
            for pid in range(1, 33000):
                try:
                    line = open(f"/proc/{pid}/cmdline", "rb").read()
                except OSError:
                    continue
                if b"54321" in line:
                    got.append(f"{pid}: {line}")
            """;
        await AssertHeldAsync(attacker, Look);
        var kill = await attacker.ShellAsync("trap '' TERM; kill -9 -1; for p in $(seq 2 400); do [ $p = $$ ] || kill -9 $p; done 2>/dev/null; kill -9 -$$");
        Assert.NotEqual(RunOutcome.InfrastructureFailure, kill.Outcome);
        Assert.Equal("None", (await victim.PythonAsync("print(child.poll())")).Stdout.Trim());
        await AssertAnswersAsync(attacker);
    }

    [Fact]
    public async Task What_one_opens_on_the_shared_read_only_files_cannot_be_watched_by_another()
    {
        await using var attacker = await SandboxAsync();
        const string Watch = """
            # inotify_init, inotify_init1, fanotify_init: on files that every sandbox shares, a watch tells what the others do
            for name, number, arguments in (("inotify_init", 253, ()), ("inotify_init1", 294, (0,)), ("fanotify_init", 300, (0, 0)), ("fanotify_init unprivileged", 300, (0x200, 0))):
                denied(name, number, *arguments)
            """;
        await AssertHeldAsync(attacker, Watch);
        await AssertHeldInCommandAsync(attacker, Watch);
    }

    [Fact]
    public async Task Limits_that_are_counted_per_user_of_the_host_cannot_be_used_up()
    {
        await using var attacker = await SandboxAsync();
        await using var sibling = await SandboxAsync();
        const string Queue = """
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
            queued = 0
            while queued < 1 << 20 and libc.sigqueue(os.getpid(), signal.SIGRTMIN, ctypes.c_void_p(0)) == 0:
                queued += 1
            print(queued)
            """;
        await attacker.PythonAsync("import ctypes, os, signal\nlibc = ctypes.CDLL(None)\n" + Queue);
        var run = await sibling.PythonAsync("import ctypes, os, signal\nlibc = ctypes.CDLL(None)\n" + Queue);
        Assert.True(int.Parse(run.Stdout, System.Globalization.CultureInfo.InvariantCulture) > 500, run.ToString());
        // The same for terminals, of which the kernel has 4,096 for all, and for keys and message queues.
        const string Terminals = """
            opened = []
            try:
                while len(opened) < 5000:
                    opened.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
            except OSError:
                pass
            print(len(opened))
            """;
        Assert.Equal("64\n", (await attacker.PythonAsync("import os\n" + Terminals)).Stdout);
        Assert.Equal("64\n", (await sibling.PythonAsync("import os\n" + Terminals)).Stdout);
    }

    [Fact]
    public async Task Ids_tell_nothing_of_how_many_others_there_are()
    {
        var sandboxes = new List<TestSandbox>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                sandboxes.Add(await SandboxAsync());
            }

            var hosts = new List<long>();
            var numbers = new List<long>();
            foreach (var sandbox in sandboxes)
            {
                hosts.Add(long.Parse((await sandbox.PythonAsync("print(open('/proc/self/uid_map').read().split()[1])")).Stdout, System.Globalization.CultureInfo.InvariantCulture));
                // What the stack and the heap of a kernel still hold of those who made it.
                var run = await sandbox.PythonAsync("""
                    import gc, sys
                    frame = sys._getframe()
                    while frame:
                        if isinstance(frame.f_locals.get("process"), int):
                            print("process", frame.f_locals["process"])
                        frame = frame.f_back
                    for thing in gc.get_objects():
                        if type(thing).__name__ == "Children":
                            print("siblings", len(thing._on_exit))
                    """);
                Assert.DoesNotContain(run.Stdout.Split('\n'), l => l.StartsWith("siblings ", StringComparison.Ordinal) && l != "siblings 0");
                numbers.AddRange(run.Stdout.Split('\n').Where(l => l.StartsWith("process ", StringComparison.Ordinal)).Select(l => long.Parse(l[8..], System.Globalization.CultureInfo.InvariantCulture)));
                Assert.Equal("2\n", (await sandbox.RunAsync(new RunRequest { Code = "import os; print(os.getpid())" })).Stdout);
            }

            Assert.All(numbers.Zip(numbers.Skip(1)), pair => Assert.True(Math.Abs(pair.First - pair.Second) > 1000, $"the numbers of processes count up: {pair}"));
            if (hosts.Distinct().Count() > 1)
            {
                Assert.Contains(hosts.Zip(hosts.Skip(1)), pair => Math.Abs(pair.First - pair.Second) > 8);
            }
        }
        finally
        {
            foreach (var sandbox in sandboxes)
            {
                await sandbox.DisposeAsync();
            }
        }
    }
}
