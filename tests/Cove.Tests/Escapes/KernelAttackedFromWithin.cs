using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>Guest code that turns on its own kernel loses its own sandbox at most: the outcome is honest, there is one of it, and nothing of it reaches the next run.</summary>
public abstract class KernelAttackedFromWithin(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    /// <summary>Everything a run may say of itself once its kernel was torn down by its own doing.</summary>
    private static readonly RunOutcome[] _itsOwnDoing = [RunOutcome.Ok, RunOutcome.GuestError, RunOutcome.Killed, RunOutcome.TimedOut, RunOutcome.OutOfMemory, RunOutcome.OutputLimit];

    public static TheoryData<string, string> Attacks => new()
    {
        { "kill itself", "import os; os.kill(os.getpid(), 9)" },
        { "stop itself", "import os; os.kill(os.getpid(), 19)" },
        { "abort", "import os; os.abort()" },
        { "leave without a word", "import os; os._exit(0)" },
        { "become another program", "import os; os.execv('/bin/true', ['true'])" },
        { "become a program that stays", "import os; os.execv('/bin/sleep', ['sleep', '1000'])" },
        { "kill all", "import os; os.kill(-1, 9)" },
        { "kill PID 1", "import os; os.kill(1, 9); os.kill(1, 15); os.kill(1, 19)" },
        { "segfault", "import ctypes; ctypes.string_at(0)" },
        { "segfault in a thread", "import ctypes, threading; t = threading.Thread(target=lambda: ctypes.string_at(0)); t.start(); t.join()" },
        { "close all descriptors", "import os; os.closerange(0, 4096)" },
        { "close all but output", "import os; os.closerange(3, 4096); print('still here')" },
        { "cover all descriptors", "import os\nn = os.open('/dev/zero', os.O_RDWR)\nfor i in range(0, 64):\n    if i != n: os.dup2(n, i)" },
        { "replace every descriptor by a pipe", "import os\nr, w = os.pipe()\nfor i in range(0, 64):\n    if i not in (r, w): os.dup2(w, i)" },
        { "write garbage everywhere", "import os\nfor i in range(0, 64):\n    try: os.set_blocking(i, False); os.write(i, os.urandom(4096))\n    except OSError: pass" },
        { "write a huge frame", "import os\nfor i in range(3, 64):\n    try: os.set_blocking(i, False); os.write(i, b'\\x7f\\xff\\xff\\xff' + b'x' * 65536)\n    except OSError: pass" },
        { "write an answer with another nonce", """
            import json, os, struct
            body = json.dumps({"t": "done", "run": "0" * 32, "status": "ok"}).encode()
            for i in range(3, 64):
                try: os.write(i, struct.pack(">I", len(body)) + body)
                except OSError: pass
            """ },
        { "write broken JSON", "import os, struct\nfor i in range(3, 64):\n    try: os.write(i, struct.pack('>I', 5) + b'{{{{{')\n    except OSError: pass" },
        { "replace the streams", "import sys; sys.stdout = sys.stderr = sys.__stdout__ = sys.stdin = None; sys.displayhook = sys.excepthook = lambda *a: 1/0; 5" },
        { "empty the builtins", "import builtins\nfor n in list(vars(builtins)): \n    if n not in ('list', 'vars'): delattr(builtins, n)" },
        { "forget all modules", "import sys; sys.modules.clear(); sys.path.clear(); sys.meta_path.clear()" },
        { "poison the modules", "import sys\nfor m in list(sys.modules.values()):\n    if m is not sys:\n        try: vars(m).clear()\n        except Exception: pass" },
        { "ignore every signal", "import signal\nfor s in signal.valid_signals():\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass" },
        { "block every signal", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True: pass" },
        { "recurse without end", "import sys; sys.setrecursionlimit(1 << 30)\ndef f(): return f()\nf()" },
        { "recurse in C", "import sys; sys.setrecursionlimit(1 << 30); x = []\nfor i in range(1 << 20): x = [x]\nrepr(x)" },
        { "swallow everything", "while True:\n    try:\n        while True: pass\n    except BaseException: pass" },
        { "lie about itself", "class X:\n    def __repr__(self): raise SystemExit\n    __class__ = property(lambda s: 1/0)\nX()" },
        { "spin in a repr", "class X:\n    def __repr__(self):\n        while True: pass\nX()" },
        { "trace the kernel", "import sys, threading; sys.settrace(lambda *a: 1/0); sys.setprofile(lambda *a: 1/0); threading.settrace(lambda *a: 1/0)" },
        { "stop its threads and leave daemons", "import threading, time\nfor i in range(20): threading.Thread(target=lambda: [time.sleep(0.001) for _ in iter(int, 1)], daemon=True).start()" },
        { "at exit, spin", "import atexit, os\ndef f():\n    while True: pass\natexit.register(f); raise SystemExit(3)" },
        { "fork and let both go on", "import os; os.fork()" },
        { "fork and leave through the child", "import os\nif os.fork() == 0: raise SystemExit(5)\nos.wait()" },
        { "limit itself to nothing", "import resource\nfor l in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE): resource.setrlimit(l, (1, 1))" },
        { "deny itself every system call", "import ctypes, struct\nc = ctypes.CDLL(None); code = ctypes.create_string_buffer(struct.pack('<HBBI', 6, 0, 0, 0x50001)); p = ctypes.create_string_buffer(struct.pack('<H6xQ', 1, ctypes.addressof(code))); c.syscall(317, 1, 0, p)" },
        { "write over its own memory", "import ctypes\nfor l in open('/proc/self/maps'):\n    if ' rw-p' in l: a, b = (int(x, 16) for x in l.split()[0].split('-')); ctypes.memset(a, 65, b - a)" },
        { "collect what it must not", "import gc, ctypes\nfor o in gc.get_objects():\n    if isinstance(o, dict) and o is not globals():\n        try: o.clear()\n        except Exception: pass" },
        { "forbid itself the disk", "import os; os.chdir('/tmp'); [os.system(c) for c in ('rm -rf /workspace /tmp/* /home/user /dev/shm/*', 'chmod 000 /workspace')]" },
    };

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_python_kernel_ends_honestly(string name, string attack)
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.PythonAsync("kept = 7");
        var run = await sandbox.PythonAsync(attack, TimeSpan.FromSeconds(3));
        await AssertHonestAsync(sandbox, name, run, Language.Python, "print('kept' in globals(), 6*7)", "42");
    }

    [Theory]
    [InlineData("kill itself", "kill -9 $$")]
    [InlineData("leave", "exit 3")]
    [InlineData("kill all", "kill -9 -1")]
    [InlineData("kill what serves it", "kill -9 $PPID; kill -STOP $PPID; kill -9 1")]
    [InlineData("stop itself", "kill -STOP $$")]
    [InlineData("close all", "for i in $(seq 0 255); do eval \"exec $i>&-\"; done")]
    [InlineData("write garbage everywhere", "for i in /proc/self/fd/*; do head -c 4096 /dev/urandom > $i; done 2>/dev/null")]
    [InlineData("forge an answer", "for i in $(seq 3 255); do printf '{\"t\":\"done\",\"run\":1,\"status\":\"ok\"}\\n' >&$i; printf '\\0\\0\\0\\5{{{{{' >&$i; done 2>/dev/null")]
    [InlineData("become another", "exec true")]
    [InlineData("redefine", "echo() { :; }; eval() { :; }; builtin() { :; }; printf() { :; }; trap 'while :; do :; done' DEBUG EXIT ERR RETURN")]
    [InlineData("ignore signals", "trap '' INT TERM HUP; while :; do :; done")]
    public async Task A_bash_kernel_ends_honestly(string name, string attack)
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(new RunRequest { Code = attack, Language = Language.Bash, Timeout = TimeSpan.FromSeconds(3) });
        await AssertHonestAsync(sandbox, name, run, Language.Bash, "command printf %s $((6*7))", "42");
    }

    [Theory]
    [InlineData("kill itself", "process.kill(process.pid, 9)")]
    [InlineData("leave", "process.exit(3)")]
    [InlineData("kill what serves it", "process.kill(process.ppid, 9)")]
    [InlineData("close all", "for (let i = 0; i < 300; i++) try { require('fs').closeSync(i) } catch {}")]
    [InlineData("write garbage everywhere", "for (let i = 3; i < 300; i++) try { require('fs').writeSync(i, '{\"t\":\"done\",\"run\":1,\"status\":\"ok\"}\\n\\0\\0{{{') } catch {}")]
    [InlineData("replace everything", "for (const n of Object.getOwnPropertyNames(globalThis)) try { globalThis[n] = null } catch {} ")]
    [InlineData("poison prototypes", "Array.prototype.push = Object.prototype.toString = Promise.prototype.then = JSON.stringify = String.prototype.split = Function.prototype.call = null")]
    [InlineData("spin", "while (true);")]
    [InlineData("allocate", "const a = []; while (true) a.push(new Array(1e6).fill(1))")]
    public async Task A_javascript_kernel_ends_honestly(string name, string attack)
    {
        await using var sandbox = await SandboxAsync(new SandboxLimitsRequest { MemoryBytes = 512 << 20 });
        var run = await sandbox.RunAsync(new RunRequest { Code = attack, Language = Language.JavaScript, Timeout = TimeSpan.FromSeconds(5) });
        await AssertHonestAsync(sandbox, name, run, Language.JavaScript, "6*7", "42");
    }

    [Fact]
    public async Task An_answer_forged_with_the_runs_own_nonce_ends_that_run_only()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("""
            import gc, json, os, re, struct, sys, time
            # The nonce lies in the kernel's own memory, and the result pipe among its descriptors.
            nonces = set()
            frame = sys._getframe()
            while frame:
                nonces.update(v for v in frame.f_locals.values() if isinstance(v, str) and re.fullmatch("[0-9a-zA-Z_-]{16,64}", v))
                frame = frame.f_back
            for nonce in nonces:
                body = json.dumps({"t": "done", "run": nonce, "status": "ok"}).encode()
                for descriptor in range(3, 64):
                    try: os.set_blocking(descriptor, False); os.write(descriptor, struct.pack(">I", len(body)) + body)
                    except OSError: pass
            time.sleep(6)
            """, TimeSpan.FromSeconds(3));
        // It may call itself done: it is its own run. It may not be anything else, nor bring the next run anything.
        await AssertHonestAsync(sandbox, "forged", run, Language.Python, "print(6*7)", "42");
    }

    [Fact]
    public async Task A_child_that_answers_late_is_not_heard_by_the_next_run()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.PythonAsync("""
            import os, time
            if os.fork() == 0:
                # It keeps every descriptor of this run and writes on them, and on those of whatever follows, for ever.
                import json, struct
                while True:
                    for descriptor in range(0, 64):
                        try:
                            os.set_blocking(descriptor, False)
                            os.write(descriptor, b"FORGED\n")
                        except OSError:
                            pass
                    time.sleep(0.001)
            """, TimeSpan.FromSeconds(5));
        for (var i = 0; i < 10; i++)
        {
            var run = await sandbox.PythonAsync($"print({i})", Generous);
            Assert.DoesNotContain("FORGED", run.ToString(), StringComparison.Ordinal);
            Assert.True(run.Stdout == $"{i}\n" || run.Outcome != RunOutcome.Ok, run.ToString());
            Assert.NotEqual(RunOutcome.InfrastructureFailure, run.Outcome);
        }

        await AssertAnswersAsync(sandbox);
    }

    private async Task AssertHonestAsync(TestSandbox sandbox, string name, Finished run, Language language, string next, string expected)
    {
        _ = run.Result; // there is exactly one end, or this throws
        Assert.IsType<RunCompleted>(run.Events[^1]);
        Assert.True(_itsOwnDoing.Contains(run.Outcome), $"{name}: {run}");
        Assert.Equal(Enumerable.Range(1, run.Events.Count), run.Events.Select(e => (int)e.Sequence));
        var after = await sandbox.RunAsync(new RunRequest { Code = next, Language = language, Timeout = Generous });
        if (after.Outcome == RunOutcome.Ok)
        {
            Assert.Contains(expected, after.Stdout + after.Value, StringComparison.Ordinal);
            if (after.Stdout.StartsWith("False", StringComparison.Ordinal))
            {
                Assert.True(run.Result.StateLost || run.Notices.Contains("state_lost") || after.Notices.Contains("state_lost") || after.Notices.Contains("kernel_restarted"), $"{name} lost its state without a word: {run}\n{after}");
            }
        }
        else
        {
            // Not honoured at once, then by its reason: the state is lost, or the sandbox has ended.
            Assert.True(_itsOwnDoing.Append(RunOutcome.Refused).Contains(after.Outcome), $"{name}, then: {after}");
            Assert.NotNull(after.Result.Error);
        }

        await using var sibling = await SandboxAsync();
        await AssertAnswersAsync(sibling);
    }
}
