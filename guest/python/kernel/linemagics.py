"""Line magics: %cd, %time, %pip and the others models write out of habit."""
from .own import BUILTINS as __builtins__

import glob
import importlib.util
import inspect
import os
import pydoc
import runpy
import shlex
import site
import sys
import time
import timeit

from . import cells as _cells

# Those whose argument is a command or a path, where {name} and $name mean variables.
EXPANDED = frozenset(("cd", "pip", "run", "env", "set_env", "system", "sx", "ls", "cat", "mkdir", "rm", "cp", "mv"))
_previous = [None]


def _cd(shell, line):
    target = os.path.expanduser(line.strip().strip("'\"") or "~")
    if target == "-":
        target = _previous[0] or "."
    here = os.getcwd()
    os.chdir(target)
    _previous[0] = here
    print(os.getcwd())


def _pwd(shell, line):
    return os.getcwd()


def _env(shell, line):
    if not line:
        return dict(os.environ)
    name, equals, value = line.partition("=")
    if not equals:
        name, equals, value = line.partition(" ")
    if not equals:
        return os.environ.get(name.strip())
    os.environ[name.strip()] = value.strip()
    print("env: %s=%s" % (name.strip(), value.strip()))
    return None


def _time(shell, line):
    return timed(shell, line)


def timed(shell, source, filename=None):
    """Runs source, says what it took, returns the value of its last expression."""
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        value = shell.cells.run(source, filename)
    finally:
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print("CPU times: %s\nWall time: %s" % (_seconds(cpu), _seconds(wall)))
    return None if value is _cells.NOTHING else value


def _timeit(shell, line):
    loops, rounds, statement = timeit_options(line)
    timeit_of(shell, statement, "pass", loops, rounds)


def timeit_options(line):
    """(loops or 0, rounds, the rest): -n 10 -r3 as in IPython."""
    found = {"n": "0", "r": "7"}
    while line.startswith("-"):
        option, _, line = line[1:].partition(" ")
        name, value = option[:1], option[1:]
        if name in found and not value:
            value, _, line = line.lstrip().partition(" ")
        found[name] = value
        line = line.lstrip()
    return int(found["n"]), int(found["r"]), line


def timeit_of(shell, statement, setup, loops, rounds):
    timer = timeit.Timer(statement, setup, globals=shell.user_ns)
    loops = loops or timer.autorange()[0]
    each = [total / loops for total in timer.repeat(rounds, loops)]
    mean = sum(each) / len(each)
    deviation = (sum((one - mean) ** 2 for one in each) / len(each)) ** 0.5
    print("%s ± %s per loop (mean ± std. dev. of %d runs, %d loops each)" % (
        _seconds(mean), _seconds(deviation), len(each), loops))


def _seconds(value):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return "%.3g %s" % (value / size, unit)
    return "%.3g ns" % (value / 1e-9)


def pip_arguments(line):
    """The command of a pip that installs for this interpreter, whatever `pip` is on PATH."""
    if importlib.util.find_spec("pip") is None:
        raise ModuleNotFoundError(
            "pip is not installed in this sandbox's template, so packages cannot be installed at run time.", name="pip")
    # Debian marks its Python as externally managed; in a sandbox the user's own site is exactly the right place.
    os.environ.setdefault("PIP_BREAK_SYSTEM_PACKAGES", "1")
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return [sys.executable or "/usr/bin/python3", "-m", "pip"] + shlex.split(line)


def _pip(shell, line):
    code = shell.process(pip_arguments(line))
    shell.user_ns["_exit_code"] = code
    user_site = site.getusersitepackages()
    if os.path.isdir(user_site):
        site.addsitedir(user_site)  # for the .pth files of what was installed
    if code:
        print("pip exited with code %d. Installing needs network access to a package index." % code, file=sys.stderr)


def _names(shell):
    hidden = {"In", "Out", "exit", "quit", "get_ipython"}
    return sorted(name for name in shell.user_ns if not name.startswith("_") and name not in hidden)


def _who(shell, line):
    names = _names(shell)
    print("\t".join(names) if names else "Interactive namespace is empty.")


def _who_ls(shell, line):
    return _names(shell)


def _whos(shell, line):
    print("Variable   Type       Data/Info\n" + "-" * 30)
    for name in _names(shell):
        value = shell.user_ns[name]
        text = " ".join(repr(value).split())
        print("%-10s %-10s %s" % (name, type(value).__name__, text if len(text) <= 60 else text[:59] + "…"))


def _reset(shell, line):
    for name in _names(shell):
        del shell.user_ns[name]


def _run(shell, line):
    arguments = shlex.split(line)
    arguments = [argument for argument in arguments if argument not in ("-i", "-t")]
    if not arguments:
        raise shell.UsageError("%run needs the name of a script.")
    saved, sys.argv = sys.argv, arguments
    try:
        names = runpy.run_path(arguments[0], run_name="__main__")
    finally:
        sys.argv = saved
        sys.modules["__main__"] = shell.user_module
    shell.user_ns.update({name: value for name, value in names.items() if not name.startswith("__")})


def _pinfo(shell, line):
    value = _lookup(shell, line)
    if value is not _cells.NOTHING:
        print(pydoc.plain(pydoc.render_doc(value)) if not isinstance(value, (int, float, str, list, dict))
              else "Type: %s\nValue: %.500r" % (type(value).__name__, value))


def _pinfo2(shell, line):
    value = _lookup(shell, line)
    if value is _cells.NOTHING:
        return
    try:
        print(inspect.getsource(value))
    except (OSError, TypeError):
        _pinfo(shell, line)


def _lookup(shell, line):
    try:
        return eval(line, shell.user_ns)
    except (NameError, AttributeError):
        print("Object `%s` not found." % line)
        return _cells.NOTHING


def _lsmagic(shell, line):
    print("Line magics: " + " ".join("%" + name for name in sorted(shell.line_magics)))
    print("Cell magics: " + " ".join("%%" + name for name in sorted(shell.cell_magics)))


def _nothing(shell, line):
    """Accepted: the setting it asks for is how this kernel behaves, or has no meaning in it."""


def _system(shell, line):
    shell.user_ns["_exit_code"] = shell.shell(line)


def _sx(shell, line):
    return shell.getoutput(line)


def _command(name):
    def run(shell, line):
        if name == "ls" and glob.has_magic(line) is False and not line:
            line = "-C"
        shell.user_ns["_exit_code"] = shell.shell("%s %s" % (name, line))
    return run


def table():
    found = {name: _command(name) for name in ("ls", "cat", "mkdir", "rm", "cp", "mv")}
    for name in ("matplotlib", "load_ext", "reload_ext", "autoreload", "config", "pylab", "precision", "xmode",
                 "colors", "gui", "autosave", "reload"):
        found[name] = _nothing
    found.update(
        cd=_cd, pwd=_pwd, env=_env, set_env=_env, time=_time, timeit=_timeit, pip=_pip, who=_who, who_ls=_who_ls,
        whos=_whos, reset=_reset, run=_run, pinfo=_pinfo, pinfo2=_pinfo2, lsmagic=_lsmagic, system=_system, sx=_sx)
    return found
