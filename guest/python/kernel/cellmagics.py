"""Cell magics: %%bash, %%time, %%writefile, %%capture and the like."""
from .own import BUILTINS as __builtins__

import io
import os
import shlex
import subprocess
import sys

from . import linemagics, objects


def _time(shell, line, cell):
    return linemagics.timed(shell, _placed(line, cell))


def _timeit(shell, line, cell):
    loops, rounds, setup = linemagics.timeit_options(line)
    linemagics.timeit_of(shell, cell, setup or "pass", loops, rounds)


def _placed(line, cell):
    """The body on the lines it has in the cell, for right line numbers; code on the magic's own line comes first."""
    return line + "\n" + cell


def _script(shell, line, cell, program=None):
    arguments = shlex.split(line)
    tolerant = "--no-raise-error" in arguments
    arguments = [argument for argument in arguments if not argument.startswith("--no-raise")]
    command = ([program] if program else []) + arguments
    if not command:
        raise shell.UsageError("%%script needs the name of a program.")
    code = shell.process(command, cell)
    shell.user_ns["_exit_code"] = code
    if code and not tolerant:
        raise subprocess.CalledProcessError(code, command)


def _runs(program):
    return lambda shell, line, cell: _script(shell, line, cell, program)


def _python(shell, line, cell):
    _script(shell, line, cell, sys.executable or "/usr/bin/python3")


def _writefile(shell, line, cell):
    words = shlex.split(line)
    append = "-a" in words or "--append" in words
    names = [word for word in words if word not in ("-a", "--append")]
    if len(names) != 1:
        raise shell.UsageError("%%writefile needs exactly one file name.")
    name = os.path.expanduser(names[0])
    existed = os.path.exists(name)
    with open(name, "a" if append else "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(cell if cell.endswith("\n") else cell + "\n")
    print("%s %s" % ("Appending to" if append else "Overwriting" if existed else "Writing", name))


class Captured:
    """What %%capture name leaves in `name`."""

    def __init__(self, displays):
        self.stdout = self.stderr = ""
        self.outputs = []
        self._displays = displays

    def __str__(self):
        return self.stdout

    def show(self):
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)
        for data, metadata in self.outputs:
            self._displays.publish(data, metadata)

    __call__ = show


def _capture(shell, line, cell):
    names = [word for word in line.split() if not word.startswith("-")]
    captured = Captured(shell.displays)
    out, err = io.StringIO(), io.StringIO()
    before = sys.stdout, sys.stderr
    captured.outputs = shell.displays.capture()
    sys.stdout, sys.stderr = out, err
    try:
        shell.cells.run(_placed("", cell))
    finally:
        sys.stdout, sys.stderr = before
        shell.displays.release(captured.outputs)
        captured.stdout, captured.stderr = out.getvalue(), err.getvalue()
        if names:
            shell.user_ns[names[0]] = captured


def _shows(kind):
    return lambda shell, line, cell: shell.displays.show(kind(cell))


def _bang(shell, line, cell):
    shell.user_ns["_exit_code"] = shell.shell(line + "\n" + cell)


def table():
    return {
        "time": _time, "timeit": _timeit, "writefile": _writefile, "file": _writefile, "capture": _capture,
        "script": _script, "bash": _runs("bash"), "sh": _runs("sh"), "python": _python, "python3": _python,
        "system": _bang, "sx": _bang,
        "html": _shows(objects.HTML), "HTML": _shows(objects.HTML), "markdown": _shows(objects.Markdown),
        "latex": _shows(objects.Latex), "svg": _shows(objects.SVG), "javascript": _shows(objects.Javascript),
    }
