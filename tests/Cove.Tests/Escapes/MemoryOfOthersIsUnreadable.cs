using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>
/// What is a copy of a trusted process's memory does not give it away: kernels are forked from a process that made others' kernels, and what
/// serves a bash or JavaScript kernel was forked from one that read the others' commands.
/// </summary>
public abstract class MemoryOfOthersIsUnreadable(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    [Theory]
    [InlineData("python")]
    [InlineData("command")]
    [InlineData("bash")]
    [InlineData("javascript")]
    public async Task Secrets_of_another_sandbox_are_in_no_memory_that_can_be_read(string from)
    {
        await using var victim = await SandboxAsync();
        var secret = Attack.NewSecret();
        await victim.RunAsync(new RunRequest
        {
            Argv = ["true", secret], Environment = new Dictionary<string, string> { ["SECRET"] = secret }, Stdin = System.Text.Encoding.ASCII.GetBytes(secret),
        });
        await victim.PythonAsync($"kept = '{secret}'");
        Assert.Contains(secret, (await victim.PythonAsync(Attack.Script(Attack.ScanProc), Generous)).Stdout, StringComparison.Ordinal);

        await using var attacker = await SandboxAsync();
        await attacker.Cove.WriteFileAsync(attacker.Id, "/tmp/scan.py", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Attack.Script(Attack.ScanProc))));
        var run = await attacker.RunAsync(from switch
        {
            "python" => new RunRequest { Code = Attack.Script(Attack.ScanProc), Timeout = Generous },
            "command" => new RunRequest { ShellLine = "python3 /tmp/scan.py", Timeout = Generous },
            "bash" => new RunRequest { Code = "python3 /tmp/scan.py", Language = Language.Bash, Timeout = Generous },
            _ => new RunRequest { Code = "process.stdout.write(require('child_process').execSync('python3 /tmp/scan.py').toString())", Language = Language.JavaScript, Timeout = Generous },
        });
        Assert.True(run.Stdout == Held, run.ToString());
    }

    [Fact]
    public async Task The_process_that_serves_a_kernel_can_be_neither_read_nor_written_by_it()
    {
        await using var sandbox = await SandboxAsync();
        const string Look = """
            for f in mem maps environ cmdline stat status auxv fd root cwd exe task; do
              for p in $PPID 1; do
                if head -c 1 /proc/$p/$f > /dev/null 2>&1 || ls /proc/$p/$f/ > /dev/null 2>&1; then echo "$p/$f"; fi
              done
            done
            if : 2>/dev/null <> /proc/$PPID/mem; then echo "write $PPID/mem"; fi
            if : 2>/dev/null <> /proc/1/mem; then echo "write 1/mem"; fi
            head -c 1 /proc/$$/stat > /dev/null && echo own
            """;
        Assert.Equal("own\n", (await sandbox.RunAsync(new RunRequest { Code = Look, Language = Language.Bash })).Stdout);
        var node = await sandbox.RunAsync(new RunRequest
        {
            Code = """
                const fs = require("fs"), found = [];
                for (const pid of [process.ppid, 1]) for (const name of ["mem", "maps", "environ", "cmdline", "status"]) for (const mode of ["r", "r+"])
                  try { fs.openSync(`/proc/${pid}/${name}`, mode); found.push(`${pid} ${name} ${mode}`); } catch { }
                fs.openSync("/proc/self/maps", "r");
                console.log(found.join("\n") || "held");
                """,
            Language = Language.JavaScript,
        });
        Assert.True(node.Stdout == Held, node.ToString());
    }

    [Fact]
    public async Task Kernels_of_one_sandbox_cannot_be_written_by_its_commands()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.PythonAsync("kept = 1");
        await AssertHeldInCommandAsync(sandbox, """
            for pid in range(1, 1000):
                if pid != os.getpid():
                    attempt(f"/proc/{pid}/mem", lambda: os.open(f"/proc/{pid}/mem", os.O_RDWR))
            """);
    }
}
