"""Children of a single-threaded process: who they are, and what to do when one ends."""

import os
import traceback


class Children:
    def __init__(self):
        self._on_exit = {}

    def add(self, pid, on_exit):
        """`on_exit(code, signal)` is called once, with one of the two None."""
        self._on_exit[pid] = on_exit

    def clear(self):
        """In a forked child that guest code will inherit: whose siblings they are is none of its business."""
        self._on_exit.clear()

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            on_exit = self._on_exit.pop(pid, None)  # none: an orphan that a dead zygote left to this PID 1
            if on_exit:
                try:
                    if os.WIFSIGNALED(status):
                        on_exit(None, os.WTERMSIG(status))
                    else:
                        on_exit(os.WEXITSTATUS(status), None)
                except OSError:
                    traceback.print_exc()  # one cell's trouble with the host must not become that of all
