using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cove.Engine;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>A change of one of the guest's sources, by exact text.</summary>
public sealed record Edit(string File, string Text, string Instead);

/// <summary>The guest's sources in a folder of their own, with something taken out of them.</summary>
internal sealed class WeakenedGuest : IDisposable
{
    private WeakenedGuest(string directory) => Directory = directory;

    public string Directory { get; }

    public static WeakenedGuest With(params ReadOnlySpan<Edit> edits)
    {
        var directory = TemporaryPlace.Make().FullName;
        var source = Path.Combine(LiveEngine.Repository, "guest");
        foreach (var file in System.IO.Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Where(f => !f.Contains("__pycache__", StringComparison.Ordinal)))
        {
            var target = Path.Combine(directory, Path.GetRelativePath(source, file));
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        foreach (var edit in edits)
        {
            var path = Path.Combine(directory, "python", edit.File);
            var text = File.ReadAllText(path);
            Assert.True(text.Contains(edit.Text, StringComparison.Ordinal), $"{edit.File} does not hold `{edit.Text}` (any more): this row tests nothing");
            File.WriteAllText(path, text.Replace(edit.Text, edit.Instead, StringComparison.Ordinal));
        }

        return new WeakenedGuest(directory);
    }

    public Task<SandboxEngine> StartAsync(params ReadOnlySpan<string> allowed)
    {
        var options = LiveEngine.Options(poolSize: 0);
        return LocalEngine.StartAsync(
            options with { GuestDirectory = Directory, Engine = options.Engine with { AllowDegraded = new HashSet<string>(allowed.ToArray()) } }, TimeProvider.System, NullLogger.Instance);
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}

/// <summary>
/// Each protection is what holds its attack off: with that one taken out of a copy of the guest's sources, the attack succeeds. Where two walls
/// stand behind each other, both are taken out. (no_new_privs has no row: without it the kernel accepts neither Landlock nor the filter.)
/// </summary>
[Collection(Alone.Name)]
public sealed class ProtectionsMatter
{
    private const string Enter = "isolation/enter.py";
    private const string Mounts = "isolation/mounts.py";
    private const string Seccomp = "isolation/seccomp.py";
    private const string Rlimits = "isolation/rlimits.py";
    private const string Namespaces = "isolation/namespaces.py";
    private const string Cell = "isolation/cell.py";
    private const string CellFlags = "CELL = NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS";

    private static readonly Edit _noResize = new("launcher/processes.py", "for key, value in ((b\"size\", size), (b\"nr_inodes\", inodes)):", "for key, value in ():");
    private static readonly Edit[] _noLandlock = [new(Enter, "    if door.landlock_abi:", "    if False:")];

    /// <summary>Name, what is taken away, and the attack that is then expected to get something.</summary>
    private static readonly (string Name, Edit[] Edits, string Attack)[] _rows =
    [
        ("the system call filter", [new(Enter, "    door.filter.apply()", "    pass")], "denied('unshare', 272, 0x10000000)"),
        ("the filter's denial of rare sockets", [new(Seccomp, "_errno(_EAFNOSUPPORT), allow,", "allow, allow,")], "attempt('netlink', lambda: socket.socket(16, socket.SOCK_RAW))"),
        ("the filter's look at clone's flags", [new(Seccomp, "(_JSET, 0, 1, _NAMESPACE_FLAGS), deny, allow]", "allow]")], "denied('clone', 56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)"),
        ("the denial of inotify", [new(Seccomp, "\"inotify_init\": 253, \"inotify_add_watch\": 254, \"inotify_rm_watch\": 255, \"inotify_init1\": 294,", ""), new(Seccomp, "\"close_range\": 436,", "\"close_range\": 436, \"inotify_init1\": 294,")],
            "denied('inotify', 294, 0)"),
        ("the bounding set", [new(Enter, "    capabilities.drop_bounding_set()", "    pass")], "got.extend(l for l in open('/proc/self/status') if l.startswith('CapBnd') and int(l.split()[1], 16))"),
        ("the drop of capabilities", [new(Enter, "    capabilities.drop_all()", "    pass")], "got.extend(l for l in open('/proc/self/status') if l.startswith('CapEff') and int(l.split()[1], 16))"),
        ("the masks over /proc", [new(Mounts, "    _mask_proc(f\"{root}/proc\", masks)", "    pass")], "got.extend(open('/proc/uptime').read().split() if open('/proc/uptime').read() != '1.00 1.00\\n' else [])"),
        ("hidepid", [new(Mounts, "options=\"hidepid=2\"", "options=None")], "attempt('PID 1', lambda: open('/proc/1/status').read())"),
        ("the cover over /usr/local", [new(Mounts, "if os.path.isdir(f\"{root}/usr/local\"):", "if False:")], "got.extend(os.listdir('/usr/local'))"),
        ("the devices' read-only mounts", [new(Mounts, "f\"{root}/dev/{name}\", RDONLY | NOSUID | NOEXEC)", "f\"{root}/dev/{name}\", NOSUID | NOEXEC)")], "attempt('touch', lambda: os.utime('/dev/null'))"),
        ("the size of the files", [new(Mounts, "size={limits['disk_bytes']},", ""), _noResize], "attempt('fill', lambda: os.posix_fallocate(os.open('/workspace/f', os.O_CREAT | os.O_RDWR), 0, 40 << 20))"),
        ("the number of the files", [new(Mounts, "nr_inodes={limits['inodes']},", ""), _noResize], "attempt('files', lambda: [os.close(os.open(f'/tmp/{i}', os.O_CREAT)) for i in range(2500)])"),
        ("the number of terminals", [new(Mounts, ",max=64", "")], "attempt('terminals', lambda: [os.open('/dev/ptmx', os.O_RDWR) for i in range(80)])"),
        ("the network namespace", [new(Namespaces, CellFlags, "CELL = NEWUSER | NEWNS | NEWPID | NEWIPC | NEWUTS"), new(Cell, "        network.raise_loopback()", "        pass")], "attempt('host', lambda: socket.create_connection(('127.0.0.1', PORT), 5))"),
        ("the IPC namespace", [new(Namespaces, CellFlags, "CELL = NEWUSER | NEWNS | NEWPID | NEWNET | NEWUTS")], "got.extend([os.readlink('/proc/self/ns/ipc')] if os.readlink('/proc/self/ns/ipc') == 'IPC' else [])"),
        ("the UTS namespace", [new(Namespaces, CellFlags, "CELL = NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC"), new(Cell, "        syscalls.sethostname(etc.HOST_NAME)", "        pass")], "got.extend([socket.gethostname()] if socket.gethostname() != 'cove' else [])"),
        ("the cgroup namespace", [new(Cell, "        syscalls.unshare(namespaces.NEWCGROUP)", "        pass")], "got.extend(l for l in open('/proc/self/cgroup') if 'cove-' in l)"),
        ("the limits of processes", [new(Rlimits, "    resource.prlimit(pid, resource.RLIMIT_NPROC, (limits[\"pids\"],) * 2)", "    pass"), new(Rlimits, "    exact(resource.RLIMIT_NPROC, limits[\"pids\"])", "    pass"), new("isolation/cgroups.py", "\"pids.max\", limits[\"pids\"])", "\"pids.max\", \"max\")")],
            "import time\ndef bomb():\n    for i in range(100):\n        if os.fork() == 0: time.sleep(1000)\nattempt('forks', bomb)"),
        ("the limit of memory", [new("isolation/cgroups.py", "            _write(directory, name, value)", "            pass"), new("isolation/cgroups.py", "_write(directory, \"memory.max\", limits[\"memory_bytes\"])", "pass")],
            "f = os.memfd_create('x')\nfor i in range(200): os.write(f, bytes(1 << 20))\ngot.append('200 MiB')"),
        ("the limit of descriptors", [new(Rlimits, "    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limits[\"open_files\"],) * 2)", "    pass"), new(Rlimits, "    exact(resource.RLIMIT_NOFILE, limits[\"open_files\"])", "    pass")], "attempt('descriptors', lambda: [os.open('/dev/null', 0) for i in range(400)])"),
        ("the limit of core dumps", [new(Rlimits, "    exact(resource.RLIMIT_CORE, 1)", "    pass")], "import resource\ngot.extend(['core'] if resource.getrlimit(resource.RLIMIT_CORE) != (1, 1) else [])"),
        ("the limit of queued signals", [new(Rlimits, "    exact(resource.RLIMIT_SIGPENDING, 1024)", "    pass")], "import resource\ngot.extend(['signals'] if resource.getrlimit(resource.RLIMIT_SIGPENDING)[1] != 1024 else [])"),
        ("the closing of descriptors", [new(Enter, "    syscalls.close_from(len(descriptors))", "    pass")], "got.extend(l for l in (os.readlink(f'/proc/self/fd/{n}') for n in range(64) if os.path.lexists(f'/proc/self/fd/{n}')) if 'pidfd' in l or l.startswith('pid:'))"),
        ("the drawing of host ids", [new("isolation/users.py", "index = secrets.randbelow(len(self._free))", "index = len(self._free) - 1")], "got.extend(n for n in [int(open('/proc/self/uid_map').read().split()[1])] if n & 0xFFFF > 0xFFF0)"),
        ("the forgetting of siblings", [new("zygote/main.py", "            siblings.clear()", "            pass")], "import gc\ngot.extend(o for o in gc.get_objects() if type(o).__name__ == 'Children' and o._on_exit)"),
        ("the emptied environment", [new("launcher/templates.py", "code, options], {})", "code, options], {'LEAK': 'x'})")], "got.extend(open('/proc/self/environ').read().split('\\0')[:1] if 'LEAK' in open('/proc/self/environ').read() else [])"),
        ("the unreadable stem, without Landlock", [.. _noLandlock, new("isolation/stem.py", "os.fchmod(writable, 0o111)", "os.fchmod(writable, 0o555)")], "attempt('stem', lambda: os.open('/proc/1/mem', os.O_RDWR))"),
    ];

    public static TheoryData<string> Names => [.. _rows.Select(r => r.Name)];

    private static SandboxRequest Small => new()
    {
        Template = "base", Limits = new SandboxLimitsRequest { MemoryBytes = 128 << 20, DiskBytes = 16 << 20, Inodes = 2000, Pids = 48, OpenFiles = 256 },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Without_it_the_attack_succeeds(string name)
    {
        SkipUnlessRoot();
        var row = _rows.Single(r => r.Name == name);
        using var guest = WeakenedGuest.With(row.Edits);
        await using var engine = await guest.StartAsync();
        var run = await AttackAsync(engine, row.Attack);
        Assert.True(run.Stdout is not ("" or "held\n"), run.ToString());
    }

    [Fact]
    public async Task With_all_of_them_each_attack_is_held()
    {
        SkipUnlessRoot();
        using var guest = WeakenedGuest.With();
        await using var engine = await guest.StartAsync();
        foreach (var row in _rows)
        {
            var run = await AttackAsync(engine, row.Attack);
            Assert.True(run.Stdout == "held\n" || run.Outcome == RunOutcome.OutOfMemory, $"{row.Name}: {run}");
        }
    }

    [Fact]
    public async Task Without_Landlock_a_command_can_write_into_a_kernel()
    {
        SkipUnlessRoot();
        using var guest = WeakenedGuest.With(_noLandlock);
        await using var engine = await guest.StartAsync();
        await using var sandbox = await TestSandbox.CreateAsync(engine);
        await sandbox.PythonAsync("1");
        var run = await sandbox.ShellAsync("if : <> /proc/2/mem; then echo written; fi");
        Assert.Equal("written\n", run.Stdout);
    }

    [Fact]
    public async Task Without_its_hiding_the_copy_of_the_launcher_can_be_read_by_a_cell()
    {
        if (LiveEngine.Privilege != "bare")
        {
            Assert.Skip("only an ordinary user's engine without subordinate ids shares its host id with its cells; elsewhere the change of ids hides the copy too");
        }

        using var guest = WeakenedGuest.With(new Edit(Enter, "    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)", "    pass"));
        await using var engine = await guest.StartAsync("memory", "cpu");
        await using var sandbox = await TestSandbox.CreateAsync(engine);
        var run = await sandbox.RunAsync(new RunRequest { Code = "if : <> /proc/$PPID/mem; then tr '\\0' ' ' < /proc/$PPID/cmdline; fi", Language = Language.Bash });
        Assert.Contains(guest.Directory, run.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_resolution_inside_the_tree_the_file_calls_follow_links()
    {
        SkipUnlessRoot();
        using var guest = WeakenedGuest.With(new Edit("files/syscalls.py", "RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)", "0)"));
        await using var engine = await guest.StartAsync();
        await using var sandbox = await TestSandbox.CreateAsync(engine);
        await sandbox.ShellAsync("ln -s /guest/bash/driver.sh link");
        await using var stream = await engine.ReadFileAsync(sandbox.Id, "/workspace/link");
        Assert.NotEqual(0, stream.Length);
    }

    private static async Task<Finished> AttackAsync(ICove engine, string attack)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        await using var sibling = await TestSandbox.CreateAsync(engine);
        await sibling.PythonAsync("1");
        await using var sandbox = await TestSandbox.CreateAsync(engine, Small);
        var code = Attack.Script(attack.Replace("PORT", port, StringComparison.Ordinal).Replace("'IPC'", $"'{new FileInfo("/proc/self/ns/ipc").LinkTarget}'", StringComparison.Ordinal));
        return await sandbox.PythonAsync(code, TimeSpan.FromSeconds(30));
    }

    private static void SkipUnlessRoot()
    {
        if (LiveEngine.Privilege != "root")
        {
            Assert.Skip("the protections are the same code for every user; they are taken out one by one as root only");
        }
    }
}
