using System.Formats.Tar;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>Archives made to leave the directory they are unpacked into, and terminals and watches of a guest that wants them to cost the host.</summary>
public abstract class ArchivesStayInside(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    public static TheoryData<string> Traversals { get; } = new("../out", "/workspace/out", "a/../../out", "..", "/", "./../out", "a/b/../../../out");

    [Theory]
    [MemberData(nameof(Traversals))]
    public async Task A_name_that_leaves_is_refused_and_nothing_is_written(string name)
    {
        await using var sandbox = await SandboxAsync();
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.RegularFile, name));
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.SymbolicLink, name, "x"));
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.HardLink, "hard", name));
        Assert.Equal("in\n", await ListAsync(sandbox));
    }

    [Fact]
    public async Task A_link_is_made_and_never_gone_through()
    {
        await using var sandbox = await SandboxAsync();
        foreach (var target in new[] { "/tmp", "..", "/proc/self/root", "/home/user" })
        {
            await AssertRefusedAsync(sandbox, Entry(TarEntryType.SymbolicLink, "door", target), Entry(TarEntryType.RegularFile, "door/planted"));
            await AssertRefusedAsync(sandbox, Entry(TarEntryType.SymbolicLink, "door", target), Entry(TarEntryType.Directory, "door/"));
            await AssertRefusedAsync(sandbox, Entry(TarEntryType.SymbolicLink, "door", target), Entry(TarEntryType.HardLink, "hard", "door/x"));
        }

        // A file in the place of a link replaces the link, and not what it points to.
        await sandbox.WriteAsync("/tmp/victim", "untouched");
        await WriteAsync(sandbox, Entry(TarEntryType.SymbolicLink, "to", "/tmp/victim"), Entry(TarEntryType.RegularFile, "to"));
        Assert.Equal("untouched", await sandbox.ReadAsync("/tmp/victim"));
        Assert.Equal("victim\n", (await sandbox.ShellAsync("ls -A /tmp /home/user | grep -v '^/\\|^$\\|^\\.'")).Stdout);
    }

    [Fact]
    public async Task Links_the_guest_has_laid_out_are_not_followed_either()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal(RunOutcome.Ok, (await sandbox.ShellAsync("mkdir in; ln -s /tmp in/door; echo untouched > /tmp/victim; ln -s /tmp/victim in/file; ln -s / in/root")).Outcome);
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.RegularFile, "door/planted"));
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.RegularFile, "root/tmp/planted"));
        await WriteAsync(sandbox, Entry(TarEntryType.RegularFile, "file"));
        Assert.Equal("untouched\n", (await sandbox.ShellAsync("cat /tmp/victim; ls /tmp | grep planted")).Stdout);
        Assert.Equal("outside_roots", (await Assert.ThrowsAsync<CoveException>(() => WriteIntoAsync(sandbox, "/workspace/in/root", Entry(TarEntryType.RegularFile, "x")))).Error.Code);
    }

    [Fact]
    public async Task Devices_and_fifos_are_refused_and_set_id_bits_are_lost()
    {
        await using var sandbox = await SandboxAsync();
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.CharacterDevice, "null"));
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.BlockDevice, "disk"));
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.Fifo, "fifo"));
        var setuid = Entry(TarEntryType.RegularFile, "su");
        setuid.Mode = (UnixFileMode)0xFFF;
        await WriteAsync(sandbox, setuid);
        Assert.Equal("777\n", (await sandbox.ShellAsync("stat -c %a in/su")).Stdout);
    }

    [Fact]
    public async Task Names_without_end_and_lengths_without_bytes_end_at_once()
    {
        await using var sandbox = await SandboxAsync();
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.RegularFile, string.Join('/', Enumerable.Repeat("d", 1000))));
        await AssertRefusedAsync(sandbox, Entry(TarEntryType.RegularFile, new string('n', 300)));
        var long4 = new PaxTarEntry(TarEntryType.RegularFile, "x", new Dictionary<string, string> { ["comment"] = new string('c', 1 << 20) });
        await AssertRefusedAsync(sandbox, long4);
        await AssertAnswersAsync(sandbox);
    }

    [Fact]
    public async Task A_guest_that_holds_every_terminal_costs_its_own_sandbox_alone()
    {
        await using var sandbox = await SandboxAsync();
        var hoarder = sandbox.Start(new RunRequest { Argv = ["python3", "-uc", "import os, time\nheld = []\ntry:\n    while True: held.append(os.openpty())\nexcept OSError as e: print('full', len(held))\ntime.sleep(1000)"], Timeout = Generous });
        await hoarder.SaidAsync("full");
        var refusal = (await Assert.ThrowsAsync<CoveException>(() => sandbox.Cove.OpenTerminalAsync(sandbox.Id, new TerminalRequest()))).Error;
        Assert.Equal(("terminal_failed", ErrorCategory.Limit), (refusal.Code, refusal.Category));
        await using var other = await SandboxAsync();
        await using (var talk = await TerminalTalk.OpenAsync(other.Cove, other.Id, new TerminalRequest { Argv = ["/bin/echo", "fine"] }))
        {
            await talk.SeesAsync("fine");
        }

        await sandbox.Cove.KillRunAsync(sandbox.Id, hoarder.Id);
        await hoarder.Completion;
    }

    [Fact]
    public async Task What_a_terminal_runs_is_held_by_the_same_boundary()
    {
        await using var sandbox = await SandboxAsync();
        await using var talk = await TerminalTalk.OpenAsync(sandbox.Cove, sandbox.Id, new TerminalRequest
        {
            Argv = ["python3", "-c", Attack.Script("""
                import fcntl, termios
                attempt("types into its terminal", lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"))
                denied("unshare", 272, 0x10000000)
                denied("ptrace", 101, 0)
                denied("inotify", 294, 0)
                attempt("another descriptor", lambda: [d for d in os.listdir("/proc/self/fd") if int(d) > 3] or os.stat("/none"))
                status = open("/proc/self/status").read()
                for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
                    if line not in status:
                        got.append(line)
                """)],
        });
        Assert.Equal(0, await talk.EndAsync());
        Assert.Equal("held\r\n", talk.Screen);
    }

    private static PaxTarEntry Entry(TarEntryType type, string name, string? link = null)
    {
        var entry = new PaxTarEntry(type, name);
        if (link is not null)
        {
            entry.LinkName = link;
        }

        if (type == TarEntryType.RegularFile)
        {
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes("planted"));
        }

        return entry;
    }

    private static Task WriteAsync(TestSandbox sandbox, params TarEntry[] entries) => WriteIntoAsync(sandbox, "/workspace/in", entries);

    private static async Task WriteIntoAsync(TestSandbox sandbox, string path, params TarEntry[] entries)
    {
        var archive = new MemoryStream();
        await using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                await writer.WriteEntryAsync(entry);
            }
        }

        archive.Position = 0;
        await Hang.WatchAsync(sandbox.Cove.WriteArchiveAsync(sandbox.Id, path, archive));
    }

    private static async Task AssertRefusedAsync(TestSandbox sandbox, params TarEntry[] entries)
    {
        var refusal = (await Assert.ThrowsAsync<CoveException>(() => WriteAsync(sandbox, entries))).Error;
        Assert.True(refusal.Code is "refused_entry" or "bad_archive", $"{entries[0].Name}: {refusal.Code} {refusal.Message}");
    }

    private static async Task<string> ListAsync(TestSandbox sandbox) => (await sandbox.ShellAsync("cd /workspace; find . -mindepth 1 -printf '%P\\n'")).Stdout;
}
