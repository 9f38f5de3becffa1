"""The object get_ipython() returns: runs magics and shell commands on behalf of a cell."""
from .own import BUILTINS as __builtins__

import os
import re
import signal
import subprocess
import sys

from . import cells as _cells
from . import cellmagics, linemagics, signals

_BRACES = re.compile(r"(?<!\$)\{([^{}]+)\}")
_DOLLAR = re.compile(r"\$(\$|[A-Za-z_]\w*)")
_PIP = re.compile(r"\s*(?:python3? -m )?pip3?\s+(.*)", re.S)
_BASH = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
_Popen, _PIPE = subprocess.Popen, subprocess.PIPE


@signals.unbroken
def _start(arguments, feed, capture):
    """Torn in the middle, the program would run on with nobody who knows of it."""
    # A group of its own: an interrupt ends the command and everything it started.
    process = _Popen(arguments, stdin=_PIPE if feed else subprocess.DEVNULL, stdout=_PIPE if capture else None, process_group=0)
    # Python gives a child a quarter of a second to die of the same interrupt. This one did not get it, and all of the run's grace may be a second.
    process._sigint_wait_secs = 0
    return process


@signals.unbroken
def _end(process):
    """Interrupts repeat: the next one must not come between this command and its end."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass
    process.wait()


class UsageError(Exception):
    """A magic that does not exist, or was called wrongly."""
    __module__ = "IPython.core.error"
    _kernel_module = __name__


class Lines(list):
    """The output of `x = !command`: its lines; `.s` and `.n` as one text."""
    __module__ = "IPython.utils.text"
    _kernel_module = __name__

    n = property("\n".join)
    s = property(" ".join)
    l = property(list)


class _Events:
    """matplotlib registers here; cells end with figures.flush anyway."""

    def register(self, event, function):
        """Accepted and not called."""

    unregister = register


class Shell:
    """A small InteractiveShell: what notebooks' code asks of it most."""

    def __init__(self, cells, streams, displays):
        self.cells, self.streams, self.displays = cells, streams, displays
        self.user_ns, self.user_module = cells.space, cells.module
        self.config = {}
        self.events = _Events()
        self.UsageError = UsageError
        self.line_magics = linemagics.table()
        self.cell_magics = cellmagics.table()

    @property
    def execution_count(self):
        return len(self.cells.inputs)

    def enable_gui(self, gui=None):
        """There is no screen."""

    def register_magic_function(self, function, magic_kind="line", magic_name=None):
        name = magic_name or function.__name__
        if "line" in magic_kind:
            self.line_magics[name] = lambda shell, line: function(line)
        if "cell" in magic_kind:
            self.cell_magics[name] = lambda shell, line, cell: function(line, cell)

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        return self._find(magic_name, self.line_magics, "%")(self, self.expand(line, sys._getframe(1))
                                                              if magic_name in linemagics.EXPANDED else line)

    def run_cell_magic(self, magic_name, line, cell):
        return self._find(magic_name, self.cell_magics, "%%")(self, line, cell)

    def magic(self, text):
        name, _, line = text.lstrip("%").partition(" ")
        return self.run_line_magic(name, line.strip())

    def run_cell(self, source, **kwargs):
        value = self.cells.run(source)
        if value is not _cells.NOTHING and value is not None:
            self.displays.show(value)
        return value

    def ev(self, expression):
        return eval(expression, self.user_ns)

    def ex(self, statements):
        exec(statements, self.user_ns)

    def push(self, variables):
        self.user_ns.update(variables)

    def _find(self, name, table, mark):
        found = table.get(name)
        if found is None:
            other = self.cell_magics if mark == "%" else self.line_magics
            hint = ""
            if name in other:
                hint = " (there is %s%s)" % ("%%" if mark == "%" else "%", name)
            raise UsageError("magic %s%s is not available here%s. Available: %s" % (
                mark, name, hint, ", ".join(mark + known for known in sorted(table))))
        return found

    def system(self, command):
        """`!command`: its output is the cell's output, its exit code is in `_exit_code`."""
        command = self.expand(command, sys._getframe(1))
        self.user_ns["_exit_code"] = self.shell(command)

    def getoutput(self, command, split=True):
        """`x = !command`: its standard output as a list of lines."""
        command = self.expand(command, sys._getframe(1))
        code, output = self._run(self._arguments(command), None, capture=True)
        self.user_ns["_exit_code"] = code
        return Lines(output.splitlines()) if split else output

    def shell(self, command):
        return self.process(self._arguments(command))

    def process(self, arguments, script=None):
        """Runs a program on the cell's output; returns its exit code."""
        # Into a captured or redirected sys.stdout the output must be carried by hand.
        capture = self.streams.replaced()
        code, output = self._run(arguments, script, capture)
        if output:
            sys.stdout.write(output)
        return code

    def _run(self, arguments, script, capture):
        self.streams.flush()
        process = _start(arguments, script is not None, capture)
        try:
            signals.check()
            output, _ = process.communicate(None if script is None else script.encode("utf-8", "surrogateescape"))
        except BaseException:
            _end(process)
            raise
        return process.returncode, (output or b"").decode("utf-8", "replace")

    @staticmethod
    def _arguments(command):
        match = _PIP.fullmatch(command)
        if match:
            return linemagics.pip_arguments(match[1])
        return [_BASH, "-c", command]

    def expand(self, text, frame):
        """{expression} and $name from the caller's variables; what is none stays for the shell ({print $1}, $HOME)."""
        if "{" not in text and "$" not in text:
            return text

        def braces(match):
            inner = match[1]
            for expression, form in ((inner, ""), inner.rpartition(":")[::2]):
                try:
                    return format(eval(expression, frame.f_globals, frame.f_locals), form)
                except Exception:
                    continue
            return match[0]

        def dollar(match):
            name = match[1]
            if name == "$":
                return "$"
            if name in frame.f_locals:
                return str(frame.f_locals[name])
            return str(frame.f_globals[name]) if name in frame.f_globals else match[0]

        return _DOLLAR.sub(dollar, _BRACES.sub(braces, text))
