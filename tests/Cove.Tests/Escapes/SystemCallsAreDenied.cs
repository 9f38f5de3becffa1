using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>The system calls that reach beyond a sandbox, or into the kernel's rarely trodden parts, are not to be had.</summary>
public abstract class SystemCallsAreDenied(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    private const string Calls = """
        flags = {"NEWNS": 0x20000, "NEWCGROUP": 0x2000000, "NEWUTS": 0x4000000, "NEWIPC": 0x8000000, "NEWUSER": 0x10000000, "NEWPID": 0x20000000, "NEWNET": 0x40000000}
        for name, flag in flags.items():
            denied("unshare " + name, 272, flag)
            denied("unshare high " + name, 272, flag | 1 << 40)
            denied("clone " + name, 56, flag | signal.SIGCHLD, 0, 0, 0, 0)
            denied("clone user and " + name, 56, flag | 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
            denied("clone high " + name, 56, flag | signal.SIGCHLD | 1 << 35, 0, 0, 0, 0)
        denied("unshare NEWTIME", 272, 0x80)
        clone_args = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, signal.SIGCHLD)
        denied("clone3", 435, clone_args, 88, by=(errno.ENOSYS,))
        denied("clone3 plain", 435, (ctypes.c_uint64 * 11)(0, 0, 0, 0, signal.SIGCHLD), 88, by=(errno.ENOSYS,))
        own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
        denied("setns", 308, own, 0)
        denied("setns pidfd", 308, os.pidfd_open(os.getpid()), 0x20000)
        text = lambda value: ctypes.c_char_p(value)
        for name, number, arguments in (
                ("mount", 165, (text(b"none"), text(b"/tmp"), text(b"tmpfs"), 0, None)), ("mount proc", 165, (text(b"proc"), text(b"/tmp"), text(b"proc"), 0, None)),
                ("umount2", 166, (text(b"/proc"), 2)), ("pivot_root", 155, (text(b"/tmp"), text(b"/tmp"))), ("chroot", 161, (text(b"/tmp"),)),
                ("open_tree", 428, (-100, text(b"/usr"), 1)), ("move_mount", 429, (-100, text(b"/tmp"), -100, text(b"/usr"), 0)), ("fsopen", 430, (text(b"tmpfs"), 0)),
                ("fsconfig", 431, (0, 0, 0, 0, 0)), ("fsmount", 432, (0, 0, 0)), ("fspick", 433, (-100, text(b"/"), 0)), ("mount_setattr", 442, (-100, text(b"/"), 0, 0, 0)),
                ("open_tree_attr", 467, (-100, text(b"/"), 0, 0, 0)), ("listmount", 458, (0, 0, 0, 0)), ("statmount", 457, (0, 0, 0, 0)),
                ("ptrace traceme", 101, (0, 0, 0, 0)), ("ptrace attach", 101, (16, 1, 0, 0)), ("ptrace seize", 101, (0x4206, os.getpid(), 0, 0)),
                ("process_vm_readv", 310, (os.getpid(), 0, 0, 0, 0, 0)), ("process_vm_writev", 311, (os.getpid(), 0, 0, 0, 0, 0)),
                ("pidfd_getfd", 438, (os.pidfd_open(os.getpid()), 0, 0)), ("kcmp", 312, (os.getpid(), os.getpid(), 0, 0, 0)), ("process_madvise", 440, (0, 0, 0, 0, 0)),
                ("bpf", 321, (0, 0, 0)), ("bpf program", 321, (5, 0, 0)), ("perf_event_open", 298, (0, 0, -1, -1, 0)), ("userfaultfd", 323, (0,)), ("userfaultfd user", 323, (1,)),
                ("io_uring_setup", 425, (1, (ctypes.c_char * 256)())), ("io_uring_enter", 426, (0, 0, 0, 0, 0, 0)), ("io_uring_register", 427, (0, 0, 0, 0)), ("io_setup", 206, (1, (ctypes.c_long * 1)())),
                ("add_key", 248, (text(b"user"), text(b"a"), text(b"b"), 1, -3)), ("request_key", 249, (text(b"user"), text(b"a"), 0, -3)), ("keyctl", 250, (0, -3, 1)), ("keyctl join", 250, (1, 0)),
                ("kexec_load", 246, (0, 0, 0, 0)), ("kexec_file_load", 320, (0, 0, 0, 0, 0)), ("init_module", 175, (0, 0, text(b""))), ("finit_module", 313, (0, text(b""), 0)),
                ("delete_module", 176, (text(b"x"), 0)), ("settimeofday", 164, (0, 0)), ("clock_settime", 227, (0, (ctypes.c_long * 2)(1, 1))), ("adjtimex", 159, ((ctypes.c_char * 256)(),)),
                ("clock_adjtime", 305, (0, (ctypes.c_char * 256)())), ("reboot", 169, (0xFEE1DEAD, 672274793, 0, 0)), ("swapon", 167, (text(b"/tmp/x"), 0)), ("swapoff", 168, (text(b"/tmp/x"),)),
                ("acct", 163, (0,)), ("quotactl", 179, (0, 0, 0, 0)), ("quotactl_fd", 443, (0, 0, 0, 0)), ("name_to_handle_at", 303, (-100, text(b"/"), 0, 0, 0)), ("open_by_handle_at", 304, (0, 0, 0)),
                ("fanotify_init", 300, (0, 0)), ("fanotify_mark", 301, (0, 0, 0, 0, 0)), ("lookup_dcookie", 212, (0, 0, 0)), ("memfd_secret", 447, (0,)), ("iopl", 172, (3,)), ("ioperm", 173, (0, 1, 1)),
                ("modify_ldt", 154, (0, 0, 0)), ("syslog", 103, (3, 0, 0)), ("sethostname", 170, (text(b"x"), 1)), ("setdomainname", 171, (text(b"x"), 1)), ("vhangup", 153, ()),
                ("ustat", 136, (0, 0)), ("sysfs", 139, (3, 0, 0)), ("_sysctl", 156, (0,)), ("nfsservctl", 180, (0, 0, 0)), ("uselib", 134, (text(b"/bin/sh"),)), ("vmsplice", 278, (0, 0, 0, 0)),
                ("migrate_pages", 256, (0, 0, 0, 0)), ("move_pages", 279, (0, 0, 0, 0, 0, 0)), ("mbind", 237, (0, 0, 0, 0, 0, 0)), ("set_mempolicy", 238, (0, 0, 0)),
                ("map_shadow_stack", 453, (0, 0, 0)), ("lsm_set_self_attr", 460, (0, 0, 0, 0)), ("file_setattr", 469, (0, 0, 0, 0, 0)), ("far beyond", 5000, ())):
            denied(name, number, *arguments)
        for persona in (0x0040000, 0x0020000, 0x0008, 0x0400000):
            denied(f"personality {persona:#x}", 135, persona)
        """;

    [Fact]
    public async Task Each_one_of_them_is_refused_to_a_kernel()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldAsync(sandbox, Calls);
    }

    [Fact]
    public async Task Each_one_of_them_is_refused_to_a_command_and_to_children_of_bash_and_node()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldInCommandAsync(sandbox, Calls);
        await sandbox.Cove.WriteFileAsync(sandbox.Id, "/tmp/calls.py", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Attack.Script(Calls))));
        var bash = await sandbox.RunAsync(new RunRequest { Code = "python3 /tmp/calls.py", Language = Language.Bash });
        Assert.True(bash.Stdout == Held, bash.ToString());
        var node = await sandbox.RunAsync(new RunRequest { Code = "process.stdout.write(require('child_process').execSync('python3 /tmp/calls.py').toString())", Language = Language.JavaScript });
        Assert.True(node.Stdout == Held, node.ToString());
    }

    [Fact]
    public async Task The_filter_is_not_passed_by_x32_numbers()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldAsync(sandbox, """
            for number in (0, 1, 39, 56, 101, 165, 272, 298, 321, 425, 512, 520, 540, 547):
                denied(f"x32 {number}", number | 0x40000000, 0, 0, 0, 0, 0)
                denied(f"high {number}", number | 0x80000000, 0, 0, 0, 0, 0)
            """);
    }

    [Fact]
    public async Task The_filter_is_not_passed_by_32_bit_calls_from_machine_code()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldAsync(sandbox, """
            import mmap
            page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            enter = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
            def died(code):
                page.seek(0)
                page.write(code)
                child = os.fork()
                if child == 0:
                    enter()
                    os._exit(7)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            # Machine code does run: mov eax, 1; ret
            if died(b"\xb8\x01\x00\x00\x00\xc3") != 7:
                got.append("machine code does not run here, so nothing was tried")
            # int 0x80 with getpid (20), mount (21), unshare (310): other numbers than the 64-bit ones
            for number in (20, 21, 310):
                code = died(b"\xb8" + number.to_bytes(4, "little") + b"\xcd\x80\xc3")
                if code not in (-signal.SIGSYS, -signal.SIGSEGV):
                    got.append(f"int 0x80 {number}: {code}")
            # sysenter
            code = died(b"\xb8\x14\x00\x00\x00\x0f\x34\xc3")
            if code >= 0:
                got.append(f"sysenter: {code}")
            """);
    }

    [Fact]
    public async Task Device_nodes_cannot_be_made()
    {
        await using var sandbox = await SandboxAsync();
        const string Code = """
            for folder in ("/tmp", "/workspace", "/home/user", "/dev/shm", "/dev", "/dev/pts"):
                for kind, major, minor in ((stat.S_IFCHR, 1, 1), (stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 254, 0), (stat.S_IFCHR, 10, 200), (stat.S_IFCHR, 0, 0)):
                    attempt(f"mknod {folder} {kind:#o} {major}", lambda: os.mknod(f"{folder}/node", kind | 0o666, os.makedev(major, minor)))
            """;
        await AssertHeldAsync(sandbox, Code);
        await AssertHeldInCommandAsync(sandbox, Code);
    }

    [Fact]
    public async Task Terminals_cannot_be_typed_into_and_netfilter_cannot_be_reached()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldAsync(sandbox, """
            import pty
            master, slave = pty.openpty()
            letter = (ctypes.c_char * 1)(b"x")
            for request in (0x5412, 0x541C, 0x5412 | 1 << 32, 0x541C | 1 << 40):
                denied(f"ioctl {request:#x}", 16, slave, request, letter)
            for family, levels in ((socket.AF_INET, (0,)), (socket.AF_INET6, (41, 0))):
                probe = socket.socket(family, socket.SOCK_DGRAM)
                for level in levels:
                    for option in (64, 65, 96, 97, 128):
                        denied(f"setsockopt {level} {option}", 54, probe.fileno(), level, option, (ctypes.c_char * 256)(), 256, by=(errno.EPERM, errno.ENOPROTOOPT))
                        denied(f"setsockopt high {level} {option}", 54, probe.fileno(), level | 1 << 32, option | 1 << 32, (ctypes.c_char * 256)(), 256, by=(errno.EPERM, errno.ENOPROTOOPT))
            """);
    }
}
