"""One run: its three pipes and how it is going."""

from . import frames
from .outlet import Outlet

STATUSES = ("ok", "error", "interrupted", "exit")
MAX_TRACEBACK = 64 << 10


class Run:
    def __init__(self, nonce, code, number, outlets, result):
        self.nonce = nonce
        self.code = code
        self.number = number
        self.outlets = outlets
        self.result = Outlet(result)
        self.submitted = False
        self.outcome = None
        # Once the outcome is known: how much of the interpreter's output was written before it.
        self.owed = [0, 0]
        self.ended = False
        self.reported = False

    def notice(self, code, message):
        self._send({"t": "notice", "run": self.nonce, "code": code, "message": message})

    def display(self, answer):
        """Pass on a value, only the fields that belong there; a forged one is dropped."""
        data = answer.get("data")
        if answer.get("kind") in ("display", "result") and _strings(data):
            self._send({"t": "display", "run": self.nonce, "kind": answer["kind"], "data": data})

    def finish(self, answer, owed):
        self.outcome = outcome(answer)
        self.owed = owed

    def end_output(self):
        """All that was owed has come."""
        if not self.ended:
            self.ended = True
            for outlet in self.outlets:
                outlet.end(self.outcome)

    def report(self):
        self._send({"t": "done", "run": self.nonce, **self.outcome})
        self.reported = True

    def close(self):
        for outlet in (*self.outlets, self.result):
            outlet.close()

    def _send(self, message):
        try:
            self.result.write(frames.encode(message))
        except frames.FrameError:
            self.notice("value_too_large", "a value was too large to be shown")


def failed(name, value):
    error = {"name": name, "value": value, "traceback": "%s: %s" % (name, value)}
    return {"status": "error", "error": error}


def outcome(answer):
    """The outcome an interpreter reported, reduced to what the protocol knows."""
    status = answer.get("status")
    if status not in STATUSES:
        return failed("KernelError", "the interpreter gave an answer that makes no sense")
    result = {"status": status}
    code = answer.get("exit_code")
    if isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= 255:
        result["exit_code"] = code
    elif status == "exit":
        result["exit_code"] = 1
    if status in ("error", "interrupted"):
        error = answer.get("error")
        error = error if isinstance(error, dict) else {}
        texts = {name: error.get(name) for name in ("name", "value", "traceback")}
        texts = {name: text if isinstance(text, str) else "" for name, text in texts.items()}
        cut = {"name": 256, "value": MAX_TRACEBACK, "traceback": MAX_TRACEBACK}
        result["error"] = {name: _cut(text, cut[name]) for name, text in texts.items()}
    return result


def _cut(text, size):
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def _strings(data):
    return isinstance(data, dict) and data and all(isinstance(value, str) for value in data.values())
