import unittest

from isolation import seccomp

from . import bpf

PROGRAM = bpf.parse(seccomp.compile_filter()[0])
EPERM, ENOSYS, EAFNOSUPPORT = bpf.ERRNO | 1, bpf.ERRNO | 38, bpf.ERRNO | 97
JUDGED = {9, 16, 29, 41, 53, 54, 56, 72, 135, 160, 162, 302, 306, 319}
NOT_THERE = {435, 425, 426, 427, 206, 447, 253, 254, 255, 294}
DONE = bpf.ERRNO

# By name and number from the kernel's own table, so that a slip in the filter's list cannot hide behind itself.
NEVER = {
    "ptrace": 101, "syslog": 103, "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169, "sethostname": 170, "iopl": 172, "ioperm": 173,
    "init_module": 175, "delete_module": 176, "quotactl": 179, "acct": 163, "settimeofday": 164, "adjtimex": 159, "chroot": 161,
    "pivot_root": 155, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298,
    "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310,
    "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "seccomp": 317, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
    "clock_settime": 227, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "uselib": 134, "vhangup": 153, "modify_ldt": 154,
    "move_pages": 279, "migrate_pages": 256, "lookup_dcookie": 212, "vmsplice": 278,
}


class FilterTest(unittest.TestCase):
    def test_the_kernel_would_accept_the_program(self):
        bpf.check(PROGRAM)

    def test_every_number_is_answered_as_the_lists_say(self):
        allowed = set(seccomp.ALLOWED.values())
        for number in range(601):
            if number in JUDGED:
                continue
            wanted = bpf.ALLOW if number in allowed else ENOSYS if number in NOT_THERE or number > 450 else EPERM
            self.assertEqual(bpf.run(PROGRAM, number), wanted, f"system call {number}")

    def test_arguments_change_nothing_where_none_are_judged(self):
        for number in set(range(601)) - JUDGED:
            self.assertEqual(bpf.run(PROGRAM, number, [0xFFFFFFFFFFFFFFFF] * 6), bpf.run(PROGRAM, number), f"system call {number}")

    def test_what_must_never_pass_does_not(self):
        for name, number in NEVER.items():
            self.assertNotEqual(bpf.run(PROGRAM, number), bpf.ALLOW, name)

    def test_far_and_negative_numbers_are_unknown(self):
        for number in (1000, 0x3FFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            self.assertEqual(bpf.run(PROGRAM, number), ENOSYS, hex(number))

    def test_the_x32_doors_are_closed(self):
        for number in range(601):
            self.assertEqual(bpf.run(PROGRAM, number | 0x40000000), ENOSYS, number)

    def test_another_architectures_numbers_end_the_process(self):
        for architecture in (bpf.I386, bpf.AARCH64, 0):
            for number in range(601):
                self.assertEqual(bpf.run(PROGRAM, number, architecture=architecture), bpf.KILL_PROCESS)


class JudgedTest(unittest.TestCase):
    def judge(self, number, *arguments):
        answer = bpf.run(PROGRAM, number, arguments)
        # The upper half of an int argument means nothing to the kernel, so it must mean nothing to the filter.
        high = [a | 0xDEADBEEF00000000 for a in arguments]
        self.assertEqual(bpf.run(PROGRAM, number, high), answer)
        return answer

    def test_clone_makes_threads_and_processes_but_no_namespace(self):
        for flags in (0x11, 0x3D0F00, 0x1200011, 0x4111, 0x1000 | 17):
            self.assertEqual(self.judge(56, flags), bpf.ALLOW, hex(flags))
        for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
            self.assertEqual(self.judge(56, flag), EPERM, hex(flag))
            self.assertEqual(self.judge(56, flag | 0x3D0F00), EPERM, hex(flag))

    def test_sockets_are_local_or_of_the_internet_families(self):
        for family in range(0, 64):
            self.assertEqual(self.judge(41, family, 1, 0), bpf.ALLOW if family in (1, 2, 10) else EAFNOSUPPORT, family)
            self.assertEqual(self.judge(53, family, 1, 0), bpf.ALLOW if family == 1 else EAFNOSUPPORT, family)

    def test_netfilter_cannot_be_reached_through_socket_options(self):
        for level in (0, 41):
            for option in range(128):
                self.assertEqual(self.judge(54, 3, level, option), EPERM if option in (64, 65) else bpf.ALLOW, (level, option))
        for level in (1, 6, 17):
            self.assertEqual(self.judge(54, 3, level, 64), bpf.ALLOW)

    def test_no_option_or_request_loads_a_kernel_module(self):
        self.assertEqual(self.judge(54, 3, 6, 31), EPERM)  # TCP_ULP
        self.assertEqual(self.judge(54, 3, 6, 1), bpf.ALLOW)
        for request in (0x5423, 0x8940, 0x8941, 0x8982, 0x8983, 0x89A0, 0x89A3):
            self.assertEqual(self.judge(16, 3, request), EPERM, hex(request))

    def test_internet_sockets_are_tcp_or_udp(self):
        for family in (2, 10):
            for kind in (1, 2, 1 | 0x80800, 2 | 0x80000):
                for protocol in (0, 6, 17):
                    self.assertEqual(self.judge(41, family, kind, protocol), bpf.ALLOW)
            for protocol in (1, 33, 115, 132, 136, 256, 262):
                self.assertEqual(self.judge(41, family, 1, protocol), bpf.ERRNO | 93, protocol)
            for kind in (0, 3, 4, 5, 6, 10):
                self.assertEqual(self.judge(41, family, kind, 0), bpf.ERRNO | 94, kind)

    def test_huge_pages_of_the_host_cannot_be_taken(self):
        for number, index, flag, refusal in ((9, 3, 0x40000, 12), (29, 2, 0x800, 1), (319, 1, 4, 22)):
            arguments = [0] * 6
            self.assertEqual(self.judge(number, *arguments), bpf.ALLOW)
            arguments[index] = flag | 0x22
            self.assertEqual(self.judge(number, *arguments), bpf.ERRNO | refusal)

    def test_a_directory_cannot_be_watched(self):
        self.assertEqual(self.judge(72, 3, 1026), EPERM)
        self.assertEqual(self.judge(72, 3, 1), bpf.ALLOW)

    def test_what_would_do_too_much_seems_done(self):
        for number in (162, 306):
            self.assertEqual(self.judge(number), DONE)
        self.assertEqual(self.judge(160, 4, 1), DONE)
        self.assertEqual(self.judge(160, 7, 1), bpf.ALLOW)

    def test_nothing_is_typed_into_a_terminal(self):
        for request in (0x5412, 0x541C):
            self.assertEqual(self.judge(16, 0, request), EPERM)
        for request in (0x5401, 0x5413, 0x541B, 0x8912):
            self.assertEqual(self.judge(16, 0, request), bpf.ALLOW)

    def test_the_personality_stays_linux(self):
        for persona, answer in ((0, bpf.ALLOW), (0xFFFFFFFF, bpf.ALLOW), (0x40000, EPERM), (8, EPERM)):
            self.assertEqual(self.judge(135, persona), answer)
