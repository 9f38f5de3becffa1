"""SIGINT: a KeyboardInterrupt for guest code, nothing for the kernel.

There is no flag to be raced. The handler looks at the frame it interrupted: beneath `guarded` runs guest code (or its
repr, its figures), which gets a KeyboardInterrupt; anything else is the kernel's own bookkeeping, which is not torn.
A frame marked by `unbroken` (a result frame half written) finishes first.
"""
from .own import BUILTINS as __builtins__

import _signal

from . import memory

_unbroken = {memory.release}  # called by `guarded` itself, where an interrupt would escape it
_pending = False
_in_run = False
_arriving = None


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


def check():
    """Raises the interrupt that arrived where it could not be raised."""
    global _pending
    if _pending:
        _pending = False
        raise KeyboardInterrupt


def begin():
    """A run starts: a SIGINT from here on is meant for it. Guest code may have taken the signal away."""
    global _in_run
    _in_run = True
    if _signal.getsignal(_signal.SIGINT) is not _interrupt:
        _signal.signal(_signal.SIGINT, _interrupt)
        # A guest that meddled with the handler may also have blocked the signal.
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))


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


def _interrupt(number, frame):
    global _pending
    if not _in_run:
        if _arriving():
            _pending = True
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
                raise KeyboardInterrupt
            break
        below = True
        if code in shields:
            torn = True
        frame = frame.f_back
    _pending = True
