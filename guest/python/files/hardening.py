"""What the worker gives up before it serves: it needs no new privilege and few descriptors."""

import ctypes
import os
import resource
import signal

PR_SET_NO_NEW_PRIVS = 38
DESCRIPTORS = 256


def apply():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A write over a file size limit shall be an error and not the end.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # Modes are asked for in each request, and cut by this.
    os.umask(0o022)
