import os
import signal
import time


def halt(pid):
    """Stops a process, and returns when none of its threads runs any more: until then one may still read what comes."""
    os.kill(pid, signal.SIGSTOP)
    while not all(state == "T" for state in _states(pid)):
        time.sleep(0.001)


def lives(pid):
    """Whether a process is there and has not ended; it may end at any moment while it is looked at."""
    try:
        return any(state not in "ZX" for state in _states(pid))
    except FileNotFoundError:
        return False


def _states(pid):
    for thread in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/stat" % (pid, thread)) as stat:
                yield stat.read().rpartition(") ")[2][0]
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended meanwhile
