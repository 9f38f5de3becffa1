"""SIGINT: a KeyboardInterrupt for guest code, nothing for the kernel.

There is no flag to be raced. The handler looks at the frame it interrupted: beneath `guarded` runs guest code (or its
repr, its figures), which gets a KeyboardInterrupt; anything else is the kernel's own bookkeeping, which is not torn.
A frame marked by `unbroken` (a result frame half written) finishes first.

The engine sends the interrupt again while the run goes on, because one may arrive between the interpreter's last look and
a blocking system call, or be swallowed. Code that is cleaning up after the first is spared the next ones.
"""
from .own import BUILTINS as __builtins__

import _signal
import sys

from . import memory

# Of the engine's four in a grace, the last one reaches clean-up code as well: it would be killed next, and its state lost.
SPARED = 2
_DEEPEST = 32

_unbroken = {memory.release}  # called by `guarded` itself, where an interrupt would escape it
_pending = False
_in_run = False
_arriving = None
_raised = False    # in this run, by an interrupt
_unwinding = False  # the interrupted code has been left, and what it owes is being shown
_spared = 0
_exc_info = sys.exc_info
_context = BaseException.__context__.__get__


def unbroken(function):
    """Decorates what must not be torn by an interrupt; its caller calls `check` afterwards."""
    _unbroken.add(function)
    return function


def guarded(function, *args):
    """Calls guest code. Returns (value, None) or (None, the exception)."""
    try:
        return function(*args), None
    except BaseException as error:
        # First of all: with memory full, the next line could not so much as make a number.
        memory.release()
        return None, error


def deaf(function, *args):
    """Calls what is no run: a SIGINT that comes meanwhile, or came a moment before, is meant for what follows, and heard then."""
    global _pending
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT,))
    noted, _pending = _pending, False
    try:
        function(*args)
    finally:
        _pending = noted
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))


def check():
    """Raises the interrupt that arrived where it could not be raised."""
    global _pending, _raised
    if _pending:
        _pending = False
        _raised = True
        raise KeyboardInterrupt


def begin(stray=False):
    """A run starts: a SIGINT from here on is meant for it. Guest code may have taken the signal away.

    `stray`: one of the run before may have come late. What is noted already is taken for it; the engine repeats its own.
    """
    global _in_run, _pending, _raised, _unwinding, _spared
    if stray:
        _pending = False
    _raised = _unwinding = False
    _spared = 0
    _in_run = True
    if _signal.getsignal(_signal.SIGINT) is not _interrupt:
        _signal.signal(_signal.SIGINT, _interrupt)
        # A guest that meddled with the handler may also have blocked the signal.
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))


def left(error):
    """The run's code was left, with that exception or None."""
    global _unwinding
    _unwinding = _raised and error is not None and issubclass(type(error), KeyboardInterrupt)


def end():
    """The run is over: a late SIGINT is ignored."""
    global _in_run, _pending
    _in_run = False
    _pending = False


def install(arriving):
    """`arriving()`: whether a message has come that is not yet running. An interrupt sent right behind an execute
    may overtake the kernel's reading of it; it belongs to that run all the same."""
    global _arriving
    _arriving = arriving
    _signal.signal(_signal.SIGINT, _interrupt)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))


def _cleaning_up():
    """Whether an `except`, `finally` or `with` is dealing with a KeyboardInterrupt just now."""
    error = _exc_info()[1]
    for _ in range(_DEEPEST):
        if error is None:
            return False
        if issubclass(type(error), KeyboardInterrupt):
            return True
        error = _context(error)
    return False


def _interrupt(number, frame):
    global _pending, _raised, _spared
    if not _in_run:
        if _arriving():
            _pending = True
        return
    if _raised and _spared < SPARED and (_unwinding or _cleaning_up()):
        _spared += 1
        return
    guard = guarded.__code__
    shields = [function.__code__ for function in _unbroken]
    torn = False
    below = False
    while frame is not None:
        code = frame.f_code
        if code is guard:
            if below and not torn:
                _pending = False
                _raised = True
                _spared = 0
                raise KeyboardInterrupt
            break
        below = True
        if code in shields:
            torn = True
        frame = frame.f_back
    _pending = True
