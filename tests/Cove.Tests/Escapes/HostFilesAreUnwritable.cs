using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>A sandbox can change its own files and nothing else: not a byte, not a name, not a time, not an attribute.</summary>
public abstract class HostFilesAreUnwritable(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    private const string ChangeEveryMount = """
        own = ("/workspace", "/tmp", "/home/user", "/dev/shm", "/dev/pts", "/proc")
        mounts = [line.split()[4] for line in open("/proc/self/mountinfo")]
        if "/" not in mounts or "/usr" not in mounts:
            got.append("the mounts cannot be read, so nothing was tried")
        targets = [m for m in mounts if m not in own]
        for top in ("/", "/etc", "/usr", "/usr/bin", "/usr/lib", "/opt", "/opt/cove", "/opt/cove/python", "/var", "/var/tmp", "/run", "/dev", "/home", "/mnt", "/srv"):
            targets.append(top)
            targets.extend(e.path for e in list(os.scandir(top))[:20] if e.path not in own)
        for path in dict.fromkeys(targets):
            mode = os.lstat(path).st_mode
            attempt("utime " + path, lambda: os.utime(path, follow_symlinks=False))
            if not stat.S_ISLNK(mode):
                attempt("chmod " + path, lambda: os.chmod(path, 0o777))
            attempt("chown " + path, lambda: os.chown(path, 1000, 1000, follow_symlinks=False))
            attempt("setxattr " + path, lambda: os.setxattr(path, "user.x", b"x"))
            attempt("rename " + path, lambda: os.rename(path, path + ".x"))
            attempt("link " + path, lambda: os.link(path, "/tmp/link", follow_symlinks=False))
            if stat.S_ISDIR(mode):
                attempt("create in " + path, lambda: os.open(path + "/x", os.O_CREAT | os.O_WRONLY))
                attempt("mkdir in " + path, lambda: os.mkdir(path + "/d"))
                attempt("symlink in " + path, lambda: os.symlink("x", path + "/s"))
                attempt("tmpfile in " + path, lambda: os.open(path, os.O_TMPFILE | os.O_WRONLY))
            elif stat.S_ISREG(mode):
                attempt("write " + path, lambda: os.open(path, os.O_WRONLY))
                attempt("truncate " + path, lambda: os.truncate(path, 0))
                attempt("unlink " + path, lambda: os.unlink(path))
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/kernel/shmmax", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/vm/drop_caches",
                     "/proc/sysrq-trigger", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups", "/proc/sys/user/max_user_namespaces",
                     "/proc/sys/fs/binfmt_misc/register", "/proc/sys/kernel/modprobe"):
            attempt("write " + path, lambda: put(path, b"1000 0 1"))
        """;

    private const string RemountEverything = """
        MS_REMOUNT, MS_BIND, MS_MOVE = 32, 4096, 8192
        for line in open("/proc/self/mountinfo"):
            point = line.split()[4].encode()
            for flags in (MS_REMOUNT, MS_REMOUNT | MS_BIND):
                denied(f"remount {point}", 165, ctypes.c_char_p(b"none"), ctypes.c_char_p(point), None, flags, None)
            denied(f"umount {point}", 166, ctypes.c_char_p(point), 2)
        denied("cover /etc", 165, ctypes.c_char_p(b"/tmp"), ctypes.c_char_p(b"/etc"), None, MS_BIND, None)
        """;

    [Fact]
    public async Task Nothing_outside_its_own_files_can_be_changed_by_a_kernel()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldAsync(sandbox, ChangeEveryMount);
        await AssertHeldAsync(sandbox, RemountEverything);
    }

    [Fact]
    public async Task Nothing_outside_its_own_files_can_be_changed_by_a_command()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldInCommandAsync(sandbox, ChangeEveryMount);
        await AssertHeldInCommandAsync(sandbox, RemountEverything);
    }

    [Fact]
    public async Task Its_own_files_can_be_changed_so_the_attack_does_try()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync(Attack.Script(ChangeEveryMount.Replace("""own = ("/workspace", """, "own = (", StringComparison.Ordinal)), Generous);
        Assert.Contains("create in /workspace", run.Stdout, StringComparison.Ordinal);
        Assert.Contains("utime /workspace", run.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_crash_of_a_program_writes_nothing_on_the_host()
    {
        await using var sandbox = await SandboxAsync();
        // A core_pattern that is a pipe runs the host's handler unless the limit is exactly 1, so it must be 1 and stay so.
        const string Code = """
            import resource
            for soft, hard in ((0, 0), (0, 1), (1, 1)):
                try:
                    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
                except (OSError, ValueError):
                    pass
                class Pair(ctypes.Structure):
                    _fields_ = [("soft", ctypes.c_ulong), ("hard", ctypes.c_ulong)]
                syscall(160, 4, ctypes.byref(Pair(soft, hard)))
                syscall(302, 0, 4, ctypes.byref(Pair(soft, hard)), 0)
                syscall(302, 0, 4 | 1 << 32, ctypes.byref(Pair(soft, hard)), 0)
                if resource.getrlimit(resource.RLIMIT_CORE) != (1, 1):
                    got.append(f"RLIMIT_CORE is {resource.getrlimit(resource.RLIMIT_CORE)}")
            child = os.fork()
            if child == 0:
                os.kill(os.getpid(), signal.SIGSEGV)
            if os.WCOREDUMP(os.waitpid(child, 0)[1]):
                got.append("a core was dumped")
            """;
        await AssertHeldAsync(sandbox, Code);
        await AssertHeldInCommandAsync(sandbox, Code);
    }
}
