"""The kernel's life: hello, then configure and execute until the engine hangs up."""
from .own import BUILTINS as __builtins__

import getpass
import os
import sys

from . import configure, display, figures, hostcalls, link, memory, own, signals, sources, standin, tools, tracebacks
from .cells import NOTHING, Cells
from .shell import Shell
from .streams import Streams

_NO_INPUT = ("input() is not available in a sandbox run: pass the value in the code or read it from a file")
# One of each that nearly every first run does: several statements, output, a value.
_REHEARSAL = "print(end='')\n0"
_exit, _getpid, _dup = os._exit, os.getpid, os.dup
_settrace, _setprofile = sys.settrace, sys.setprofile
_getrecursionlimit, _setrecursionlimit = sys.getrecursionlimit, sys.setrecursionlimit
_RECURSION = 1000


def _input(prompt=""):
    """Not available: nobody is there to answer."""
    raise EOFError(_NO_INPUT)


def _getpass(prompt="Password: ", stream=None):
    """Not available: nobody is there to answer."""
    raise EOFError(_NO_INPUT.replace("input()", "getpass()"))


def _leave(code=None):
    """Ends the run, as sys.exit does. The sandbox and its variables stay."""
    raise SystemExit(code)


class Kernel:
    def __init__(self):
        self._pid = _getpid()
        self._calls = None
        self._streams = Streams()
        self._displays = display.Displays(self._streams)
        self._cells = Cells()
        self._shell = Shell(self._cells, self._streams, self._displays)
        memory.restock()
        figures.attach(self._displays)
        standin.attach(self._shell)
        sources.attach()
        for name, value in (("input", _input), ("exit", _leave), ("quit", _leave), ("display", standin.display),
                            ("get_ipython", standin.get_ipython), ("tools", tools.TOOLS),
                            ("ToolCallError", hostcalls.ToolCallError)):
            own.provide(name, value)
        getpass.getpass = getpass.unix_getpass = _getpass
        sys.modules["__main__"] = self._cells.module
        os.register_at_fork(after_in_child=self._forked)

    def rehearse(self):
        """A run that nobody asked for, hears of or finds a trace of.

        What a run writes to lies in pages shared with the zygote, and the first to write copies them, one fault each:
        some two milliseconds, spent here while nobody waits.
        """
        signals.deaf(self.execute, "", _REHEARSAL, [_dup(self._streams.null) for _ in range(3)], own.nothing)
        self._cells.forget()

    def execute(self, run, source, fds, served, stray=False):
        out, err, result = fds[:3]
        signals.begin(stray)
        served()
        own.restore()
        self._streams.open(out, err)
        results = self._displays.results = link.Results(result, run, self._pid)
        self._cells.begin(source)
        self._calls = hostcalls.Calls(fds[3], results) if len(fds) > 3 else None
        if self._calls is not None:
            self._offer_tools(results)
        _, error = signals.guarded(self._run, source)
        # Guest code may have left a tracer behind, or a recursion limit that this function would hit next.
        _settrace(None)
        _setprofile(None)
        if _getrecursionlimit() < _RECURSION:
            _setrecursionlimit(_RECURSION)
        signals.left(error)
        if error is not None:
            own.restore()  # the standard library's traceback module needs len as much as anyone
            if isinstance(error, MemoryError):
                memory.make_room(error)
        _, failure = signals.guarded(self._finish)
        if error is None:
            error = failure
        ending = (b"ok", None, None) if error is None else self._ending(error)
        if error is not None:
            memory.restock()
        if _getpid() != self._pid:
            self._leave_fork(ending, results.value)
        loose, error = error is not None or self._calls is not None, None  # both held objects of the guest's
        self._displays.results = None
        if self._calls is not None:
            self._calls.close()
            tools.begin(None)
        self._streams.close(loose)
        signals.end()
        results.done(*ending)
        self._streams.rest()  # while nobody waits

    def _forked(self):
        """In a process that guest code forks: a value that is held already is told by the one that holds it."""
        results = self._displays.results
        if results is not None:
            results.value = None

    def _offer_tools(self, results):
        tools.begin(self._calls)
        if "tools" in self._cells.space:
            results.notice("tools_hidden", "A variable named 'tools' hides the tools of this run; 'del tools' shows them again.")

    def _run(self, source):
        """Everything of a run that may execute guest code and so may be interrupted."""
        signals.check()
        value = self._cells.run(source)
        if value is not NOTHING and value is not None:
            self._cells.remember(value)
            self._displays.result(value)

    def _finish(self):
        """What a cell leaves is shown whether it failed or not. May run guest code too."""
        try:
            signals.check()
            self._displays.forget_captures()
            if self._calls is not None:
                self._calls.end()
            figures.flush()
        finally:
            self._streams.flush()

    def _ending(self, error):
        kind = type(error)
        if issubclass(kind, SystemExit):
            code, failure = signals.guarded(self._exit_code, error)
            return b"exit", None, 1 if failure is not None else code
        described, failure = signals.guarded(self._describe, error)
        if failure is not None:
            described = tracebacks.bare(error)
        return (b"interrupted" if issubclass(kind, KeyboardInterrupt) else b"error"), described, None

    def _describe(self, error):
        signals.check()
        described = tracebacks.describe(error)
        self._streams.flush()
        return described

    def _tell(self, text):
        """The output is all that a forked process shares with its run."""
        sys.stdout.write(text + "\n")

    def _exit_code(self, error):
        code = error.code
        if code is None:
            return 0
        if isinstance(code, int):
            return code & 0xFF
        self._streams.stderr.write(str(code) + "\n")
        self._streams.stderr.flush()
        return 1

    def _leave_fork(self, ending, value):
        """A child that guest code forked fell out of its cell: it ends here, as a script's child ends with its script."""
        status, described, code = ending
        if value is not None:
            signals.guarded(self._tell, value)
        if described is not None:
            try:
                self._streams.stderr.write(described[2] + "\n")
            except (OSError, ValueError):
                pass
        signals.guarded(self._streams.flush)
        _exit(code if status == b"exit" else 1 if described else 0)


def serve(fd):
    """Never returns: the process ends when the engine hangs up, or says what the protocol does not know."""
    control = link.Control(fd)
    signals.install(control.arriving)
    kernel = Kernel()
    configured = begun = False
    try:
        control.hello("%d.%d.%d" % sys.version_info[:3])
        while True:
            message = control.receive()
            kind = message["t"]
            if kind == "execute":
                if not configured:
                    raise link.ControlLost
                begun = True
                fds = control.take(4 if message.get("host") else 3)
                kernel.execute(message["run"], message["code"], fds, control.served, message.get("stray") is True)
            elif kind == "configure" and not begun:
                configure.apply(message)
                if message.get("rehearse") is True and not control.more():
                    kernel.rehearse()
                configured = True
            if kind != "execute" and not control.more():
                signals.end()  # a SIGINT that came with anything but a run is ignored
            message = None
    except link.ControlLost:
        _exit(0)
    except BaseException:
        # A kernel that no longer knows where it stands is lost, never resynchronised.
        _exit(70)
