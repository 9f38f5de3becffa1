"""The shim's one loop: the engine on one side, the interpreter on the other, a single thread between."""

import os
import re
import select
import signal

from .frames import FrameError
from .interpreter import ReplyError, waiting
from .link import Link
from .run import Run, failed

GENERATION = 1
CHUNK = 65536
NONCE = re.compile(r"[0-9a-fA-F]{32}")
NOUN = {"bash": "the shell", "javascript": "Node"}
LOST = {
    "bash": "%s: variables and working directory are gone; the next run starts a fresh shell",
    "javascript": "%s: variables are gone; the next run starts a fresh interpreter",
}


class Kernel:
    def __init__(self, control_fd, interpreter):
        self.link = Link(control_fd)
        self.interpreter = interpreter
        self.run = None
        self.runs = 0
        self.death = None
        self.unsaid = None

    def serve(self):
        self._listen_to_signals()
        version = self.interpreter.version()
        self.link.send({"t": "hello", "generation": GENERATION, "language": self.interpreter.language, "version": version})
        try:
            while self._turn():
                pass
        except (FrameError, ConnectionError):
            pass  # The engine speaks no such thing: whatever is at the other end, this kernel is over.
        finally:
            if self.interpreter.pid is not None:
                self.interpreter.kill_group()

    def _listen_to_signals(self):
        self.wake, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
            signal.siginterrupt(number, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGCHLD))

    def _turn(self):
        """Wait for something and deal with it. False at the end of the link."""
        self._advance()
        ready = dict(self._wait())
        if self.wake in ready:
            self._signals()
        events = ready.get(self.link.fileno(), 0)
        if events & select.POLLIN:
            if not self.link.receive():
                return False
        elif events:
            return False  # Hung up, even while a run keeps us from reading.
        if self.run is not None:
            for outlet in (*self.run.outlets, self.run.result):
                if ready.get(outlet.fd, 0) & select.POLLERR:
                    outlet.hang_up()
                elif outlet.fd in ready:
                    outlet.flush()
        if self.interpreter.pid is not None:
            for index, fd in enumerate(self.interpreter.outputs):
                if fd in ready:
                    self._relay(index)
            if self.interpreter.reply in ready:
                self._replies()
        return True

    def _wait(self):
        poll = select.poll()
        poll.register(self.wake, select.POLLIN)
        # One run at a time: the next frame stays in the socket until this run is over.
        poll.register(self.link.fileno(), select.POLLIN if self.run is None else 0)
        if self.run is not None:
            for outlet in (*self.run.outlets, self.run.result):
                if not outlet.broken:
                    # Without data to write, poll still says when the reader has gone.
                    poll.register(outlet.fd, select.POLLOUT if outlet.full else 0)
        if self.interpreter.pid is not None and self.death is None:
            for index, fd in enumerate(self.interpreter.outputs):
                if self._may_read(index):
                    poll.register(fd, select.POLLIN)
            if not self.interpreter.silent and (self.run is None or not self.run.result.full):
                poll.register(self.interpreter.reply, select.POLLIN)
        return poll.poll()

    def _signals(self):
        try:
            numbers = os.read(self.wake, 4096)
        except BlockingIOError:
            return
        if signal.SIGCHLD in numbers and self.interpreter.pid is not None and self.death is None:
            self.death = self.interpreter.reap()
        if signal.SIGINT in numbers and self.run is not None and self.run.outcome is None and self.death is None:
            if self.run.submitted:
                self.interpreter.interrupt(self.run.number)
                if self.interpreter.silent:
                    self.interpreter.kill()  # It can't tell any more that it heard.
            else:
                error = {"name": "Interrupted", "value": "interrupted before it began", "traceback": "Interrupted"}
                self.run.finish({"status": "interrupted", "error": error}, [0, 0])

    # The run, from its frame to its last.

    def _advance(self):
        """Take every step that needs no waiting."""
        while True:
            if self.death is not None:
                self._bury()
            if self.run is None:
                message = self.link.next()
                if message is None:
                    return
                self._accept(message)
            elif self.run.outcome is None:
                if self.interpreter.ready and not self.run.submitted:
                    self._submit()
                    continue
                return
            elif not self._settle():
                return

    def _accept(self, message):
        if message.get("t") == "configure":
            self._configure(message)
        elif message.get("t") == "execute":
            descriptors = self.link.descriptors(3)
            if message.get("stray") is True:
                self._signals()  # an interrupt that has come by now was sent for the run before; the engine repeats what it means for this one
            nonce, code = message.get("run"), message.get("code")
            if descriptors is None or not isinstance(code, str) or not isinstance(nonce, str) or not NONCE.fullmatch(nonce):
                raise FrameError("not an execute frame")
            self.runs += 1
            self.run = Run(nonce, code, self.runs, self.interpreter.outlets(*descriptors[:2]), descriptors[2])
            self._prepare()

    def _configure(self, message):
        environment = message.get("env")
        if isinstance(environment, dict):
            self.interpreter.environment = {
                str(name): str(value) for name, value in environment.items() if name and "=" not in name and "\0" not in name + str(value)
            }
        memory = message.get("soft_memory_bytes")
        self.interpreter.soft_memory_bytes = memory if isinstance(memory, int) and memory > 0 else None
        try:
            if isinstance(message.get("cwd"), str):
                os.chdir(message["cwd"])
        except (OSError, ValueError):
            pass  # The run will show where it is; refusing to start would show nothing.
        self._start()

    def _start(self):
        """Start the interpreter unless it runs already; say why not."""
        if self.interpreter.pid is not None:
            return None
        try:
            self.interpreter.start()
        except OSError as error:
            return "%s cannot be started in this sandbox: %s" % (self.interpreter.executable, error.strerror or error)
        return None

    def _prepare(self):
        run = self.run
        refusal = self.interpreter.refusal(run.code)
        if refusal is None:
            problem = self._start()
            refusal = problem and ("KernelUnavailable", problem)
        if refusal:
            run.finish(failed(*refusal), [0, 0])
        elif self.unsaid:
            run.notice("state_lost", self.unsaid)
            self.unsaid = None

    def _submit(self):
        for index, fd in enumerate(self.interpreter.outputs):
            self._discard(fd)
        self.run.submitted = True
        try:
            self.interpreter.submit(self.run.number, self.run.code)
        except OSError:
            self.run.submitted = False  # not all of it reached the interpreter, so none of it was begun
            self._break()

    def _settle(self):
        """The outcome is known: pass on what is owed, report, close. True when the run is over."""
        run = self.run
        for index in (0, 1):
            while run.owed[index] > 0 and not run.outlets[index].full:
                self._relay(index)
        if not any(run.owed):
            run.end_output()
        if any(run.owed) or any(outlet.full for outlet in run.outlets):
            return False
        if not run.reported:
            run.report()
        if run.result.full:
            return False
        run.close()
        self.run = None
        return True

    # The interpreter.

    def _may_read(self, index):
        run = self.run
        return run is None or not run.outlets[index].full and (run.outcome is None or run.owed[index] > 0)

    def _relay(self, index):
        """Move one piece of output; between runs it goes nowhere."""
        run, fd = self.run, self.interpreter.outputs[index]
        size = CHUNK
        if run is not None and run.outcome is not None:
            size = min(size, run.owed[index])
        elif run is not None and run.outlets[index].full:
            return
        try:
            data = os.read(fd, size) if size else b""
        except BlockingIOError:
            data = b""
        if run is None or not run.submitted:
            return
        if run.outcome is not None:
            run.owed[index] = run.owed[index] - len(data) if data else 0
        run.outlets[index].write(data)

    def _discard(self, fd):
        left = waiting(fd)
        while left > 0:
            data = os.read(fd, min(left, CHUNK))
            left = left - len(data) if data else 0

    def _owed(self):
        return [waiting(fd) for fd in self.interpreter.outputs]

    def _replies(self):
        try:
            for answer in self.interpreter.read_replies():
                self._answer(answer)
        except ReplyError:
            self._break()

    def _answer(self, answer):
        if answer["t"] == "ready":
            self.interpreter.ready = True
            return
        run = self.run
        if run is None or not run.submitted or run.outcome is not None or answer.get("run") != run.number:
            raise ReplyError("an answer that nobody asked for")
        if answer["t"] == "display":
            run.display(answer)
        else:
            run.finish(answer, self._owed())

    def _break(self):
        """Nothing it says can be believed any more: end it, and take its end as its answer."""
        self.interpreter.kill()
        while self.death is None:
            self.death = self.interpreter.reap()
            if self.death is None:
                select.select([self.wake], [], [], 0.05)

    def _bury(self):
        """The interpreter has ended: settle what it owed, then let it go."""
        code, run = self.death, self.run
        noun = NOUN[self.interpreter.language]
        ended = noun + " ended" if self.interpreter.ended_by is None else "%s was ended by %s" % (noun, _signal_name(self.interpreter.ended_by))
        if self.interpreter.language == "javascript" and self.interpreter.ended_by == signal.SIGABRT:
            ended += " (most likely because its heap was full)"
        message = LOST[self.interpreter.language] % ended
        # An answer it gave just before its end still counts.
        if run is not None and run.outcome is None and run.submitted:
            self._last_replies()
            if run.outcome is None and self.interpreter.untouched():
                run.submitted = False  # it was dying already when the run was handed to it: another begins it
        if run is None or not run.submitted:
            self.unsaid = message
        elif run.outcome is None:
            run.notice("state_lost", message)
            run.finish({"status": "exit", "exit_code": code}, self._owed())
        elif not run.reported:
            run.notice("state_lost", message)
        else:
            self.unsaid = message
        if run is not None and run.outcome is not None:
            for index in (0, 1):
                self._inherit(index)
        self.interpreter.forget()
        self.death = None
        if run is not None and not run.submitted and run.outcome is None:
            self._restart()

    def _last_replies(self):
        try:
            for answer in self.interpreter.read_replies():
                self._answer(answer)
        except ReplyError:
            pass

    def _inherit(self, index):
        """Take over what a dead interpreter still owes: its pipe is about to be closed, and holds 64 KiB at most."""
        run = self.run
        while run.owed[index] > 0:
            try:
                data = os.read(self.interpreter.outputs[index], min(run.owed[index], CHUNK))
            except BlockingIOError:
                data = b""
            run.owed[index] = run.owed[index] - len(data) if data else 0
            run.outlets[index].write(data)

    def _restart(self):
        """It ended before this run reached it (as a leftover timer can do); once more, and then no more."""
        run = self.run
        if getattr(run, "restarted", False):
            run.finish(failed("KernelUnavailable", "%s ended before it was ready" % self.interpreter.executable), [0, 0])
            return
        run.restarted = True
        self._prepare()


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number
