using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>Whatever a sandbox uses up, it uses up its own: the attack ends within its limits, and a sibling answers all the while.</summary>
public abstract class Bombs(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    public static TheoryData<string, string> Python => new()
    {
        { "forks", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass" },
        { "forks in new sessions", "import os\nwhile True:\n    try:\n        if os.fork() == 0: os.setsid()\n    except OSError: pass" },
        { "threads", "import threading, time\nwhile True:\n    try: threading.Thread(target=time.sleep, args=(1000,)).start()\n    except RuntimeError: pass" },
        { "descriptors", "import os\nkept = []\nwhile True:\n    try: kept.append(os.open('/dev/null', 0))\n    except OSError: pass" },
        { "descriptors in every process", "import os\nfor i in range(40):\n    if os.fork() == 0:\n        kept = []\n        while True:\n            try: kept.append(os.pipe())\n            except OSError: pass\nwhile True: pass" },
        { "sockets", "import socket\nkept = []\nwhile True:\n    try:\n        kept.append(socket.socketpair()); kept[-1][0].setblocking(False)\n        while True: kept[-1][0].send(b'x' * 65536)\n    except OSError: pass" },
        { "terminals", "import os\nkept = []\nwhile True:\n    try: kept.append(os.openpty())\n    except OSError: pass" },
        { "sleep for ever", "import time\nwhile True: time.sleep(1000)" },
        { "deaf to signals", "import signal\nfor s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM): signal.signal(s, signal.SIG_IGN)\nwhile True: signal.pause()" },
        { "a loop in C", "sum(range(10 ** 15))" },
        { "files", "i = 0\nwhile True:\n    i += 1\n    try: open(f'/tmp/{i}', 'w').close()\n    except OSError: pass" },
        { "folders", "import os\nwhile True:\n    try: os.mkdir('d'); os.chdir('d')\n    except OSError: os.chdir('/tmp')" },
        { "disk", "f = open('/workspace/f', 'wb')\nwhile True:\n    try: f.write(b'x' * (1 << 20))\n    except OSError: pass" },
        { "swaps of names", "import os\nopen('a', 'w').close()\nwhile True: os.rename('a', 'b'); os.rename('b', 'a')" },
    };

    public static TheoryData<string, string> Memory => new()
    {
        { "of the kernel", "x = []\nwhile True: x.append(bytearray(1 << 24))" },
        { "of a child", "import os\nif os.fork() == 0:\n    x = []\n    while True: x.append(bytearray(1 << 22))\nos.wait()\nwhile True: pass" },
        { "of many children", "import os\nfor i in range(30):\n    if os.fork() == 0:\n        x = []\n        while True:\n            try: x.append(bytearray(1 << 22))\n            except MemoryError: pass\nwhile True: pass" },
        { "mapped, past the soft limit", "import mmap\nkept = []\nwhile True:\n    m = mmap.mmap(-1, 1 << 24)\n    for i in range(0, 1 << 24, 4096): m[i] = 1\n    kept.append(m)" },
        { "in memfds", "import os\nkept = []\nwhile True:\n    fd = os.memfd_create('x'); kept.append(fd)\n    for i in range(16): os.write(fd, b'x' * (1 << 20))" },
        { "in System V segments", "import ctypes\nlibc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p\nwhile True:\n    i = libc.shmget(0, 1 << 24, 0o1600)\n    p = libc.shmat(i, 0, 0)\n    if p and i >= 0: ctypes.memset(p, 1, 1 << 24)" },
        { "in /dev/shm", "i = 0\nwhile True:\n    i += 1\n    try: open(f'/dev/shm/{i}', 'wb').write(b'x' * (1 << 20))\n    except OSError: pass" },
        { "in pipes", "import os\nkept = []\nwhile True:\n    try:\n        r, w = os.pipe(); os.set_blocking(w, False); kept.append((r, w))\n        while True: os.write(w, b'x' * 65536)\n    except OSError: pass" },
    };

    [Theory]
    [MemberData(nameof(Python))]
    public async Task End_within_their_limits(string name, string bomb)
    {
        var run = await UnderAttackAsync(Small, sandbox => sandbox.PythonAsync(bomb, TimeSpan.FromSeconds(2)));
        Assert.True(run.Outcome is RunOutcome.TimedOut or RunOutcome.OutOfMemory or RunOutcome.Killed or RunOutcome.GuestError, $"{name}: {run}");
    }

    [Theory]
    [MemberData(nameof(Memory))]
    public async Task Of_memory_end_within_the_limit_of_their_sandbox(string name, string bomb)
    {
        if (LiveEngine.Privilege == "bare")
        {
            Assert.Skip("bare: no control group limits the memory of a whole sandbox (allowed by name: memory)");
        }

        var run = await UnderAttackAsync(Small, sandbox => sandbox.PythonAsync(bomb, TimeSpan.FromSeconds(4)));
        Assert.True(run.Outcome is RunOutcome.TimedOut or RunOutcome.OutOfMemory or RunOutcome.Killed or RunOutcome.GuestError, $"{name}: {run}");
        Assert.True(run.Result.PeakMemoryBytes <= Small.MemoryBytes, $"{name}: {run.Result.PeakMemoryBytes}");
    }

    [Theory]
    [InlineData(":(){ :|:& };:; while :; do :; done")]
    [InlineData("x=x; while :; do x=$x$x; done")]
    [InlineData("for i in $(seq 200); do (trap '' TERM INT HUP; while :; do :; done) & done; wait")]
    [InlineData("yes > /tmp/fill; while :; do sleep 1; done")]
    public async Task From_bash_end_as_well(string bomb)
    {
        if (LiveEngine.Privilege == "bare" && bomb.StartsWith("x=x", StringComparison.Ordinal))
        {
            Assert.Skip("bare: no control group limits the memory of a whole sandbox (allowed by name: memory)");
        }

        var kernel = await UnderAttackAsync(Small, sandbox => sandbox.RunAsync(new RunRequest { Code = bomb, Language = Language.Bash, Timeout = TimeSpan.FromSeconds(2) }));
        Assert.True(kernel.Outcome is RunOutcome.TimedOut or RunOutcome.OutOfMemory or RunOutcome.Killed or RunOutcome.GuestError, kernel.ToString());
        var command = await UnderAttackAsync(Small, sandbox => sandbox.ShellAsync(bomb, TimeSpan.FromSeconds(2)));
        Assert.True(command.Outcome is RunOutcome.TimedOut or RunOutcome.OutOfMemory or RunOutcome.Killed or RunOutcome.GuestError, command.ToString());
    }

    [Theory]
    [InlineData("import os, threading\nthreading.Thread(target=lambda: [os.write(2, b'e' * 65536) for _ in iter(int, 1)], daemon=True).start()\nwhile True: os.write(1, b'o' * 65536)")]
    [InlineData("while True: print('line')")]
    [InlineData("while True: display('x' * 100000)")]
    public async Task Of_output_end_at_the_output_limit(string bomb)
    {
        var run = await UnderAttackAsync(Small, sandbox => sandbox.PythonAsync(bomb, TimeSpan.FromSeconds(6)));
        Assert.True(run.Outcome is RunOutcome.OutputLimit or RunOutcome.TimedOut, $"{run.Outcome} {run.Result.Error?.Message}");
        Assert.True(run.Stdout.Length <= 2 << 20, $"{run.Stdout.Length} characters were passed on");
        Assert.True(run.Displays.Sum(d => d.Data.Values.Sum(v => (long)v.Length)) <= 32 << 20);
    }

    [Fact]
    public async Task Processes_stay_below_the_limit_of_their_sandbox()
    {
        await using var sandbox = await SandboxAsync(Small);
        var run = await sandbox.PythonAsync("""
            import os, time
            made = 0
            try:
                while made < 5000:
                    if os.fork() == 0:
                        time.sleep(1000)
                    made += 1
            except OSError:
                pass
            print(made)
            """, Generous);
        Assert.InRange(int.Parse(run.Stdout, System.Globalization.CultureInfo.InvariantCulture), 1, Small.Pids!.Value);
        // Commands stand before the same wall; they do not get past it, and are refused by name.
        var command = await sandbox.ShellAsync("true");
        Assert.NotEqual(RunOutcome.InfrastructureFailure, command.Outcome);
    }

    private static SandboxLimitsRequest Small => new() { MemoryBytes = 128 << 20, DiskBytes = 16 << 20, Inodes = 2000, Pids = 48, OpenFiles = 256 };

    /// <summary>Runs an attack while a sibling is asked again and again, then checks that the attacked engine has lost nothing else.</summary>
    private async Task<Finished> UnderAttackAsync(SandboxLimitsRequest limits, Func<TestSandbox, Task<Finished>> attack)
    {
        await using var sibling = await SandboxAsync();
        Finished run;
        await using (var sandbox = await SandboxAsync(limits))
        {
            var attacking = attack(sandbox);
            do
            {
                await AssertAnswersAsync(sibling);
            }
            while (!attacking.IsCompleted);
            run = await attacking;
            _ = run.Result;
            await AssertAnswersAsync(sibling);
        }

        await using var next = await SandboxAsync();
        await AssertAnswersAsync(next);
        return run;
    }
}
