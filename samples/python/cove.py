"""Cove from Python: one file, the standard library alone. Copy it beside your program.

    from cove import Sandbox

    with Sandbox(max_lifetime_seconds=300, idle_timeout_seconds=60) as sandbox:
        result = sandbox.run_code("print(6 * 7)", on_stdout=print)
        print(result.stdout, result.stderr, result.exit_code)

The server is COVE_URL (default http://127.0.0.1:8787), the key COVE_API_KEY. Python 3.9 or later.
"""
import concurrent.futures
import http.client
import inspect
import json
import os
import secrets
import time
import urllib.parse

__all__ = ["CoveError", "Result", "Sandbox"]

# A stream that breaks is resumed after these pauses (seconds), counted anew whenever an event arrives.
_PAUSES = (0.1, 0.3, 1, 2, 4)
_ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class CoveError(Exception):
    """What Cove could not do, with the fields an agent can act on: code, retryable, remediation, status."""

    def __init__(self, message, code="unknown", status=None, retryable=False, remediation=""):
        super().__init__(f"{message} {remediation}".strip())
        self.code, self.status, self.retryable, self.remediation = code, status, retryable, remediation


class Result:
    """How a run ended. stderr carries the traceback of an exception, as a terminal would show it."""

    def __init__(self):
        self.stdout = ""
        self.stderr = ""
        self.outcome = "infrastructure_failure"
        self.exit_code = None
        self.error = None  # the error's fields as a dict: code, category, retryable, message, remediation, evidence
        self.duration_seconds = 0.0
        self.state_lost = False
        self.displays = []  # dicts of MIME type to content; images in base64
        self.value = None  # the last expression's value as text
        self.notices = []
        self.correlation_id = None  # finds the run in the server's logs

    @property
    def success(self):
        return self.outcome == "ok"

    @property
    def text(self):
        """Everything a model should read, in one string."""
        parts = [self.stdout, self.stderr, self.value or ""]
        return "\n".join(part.rstrip("\n") for part in parts if part)

    def __repr__(self):
        return f"Result({self.outcome!r}, exit_code={self.exit_code}, stdout={self.stdout!r}, stderr={self.stderr!r})"


class Sandbox:
    """One isolated computer. Ends with close(), with the with-block, or by its timeouts.

    egress: None or False; there is no network in a sandbox (True is refused rather than ignored).
    max_lifetime_seconds: default 3600, 1 to 2592000. idle_timeout_seconds: default 600, 1 to 86400.
    limits: for example {"memory_bytes": 268435456, "cpu_millis": 500}.
    """

    def __init__(self, egress=None, max_lifetime_seconds=None, idle_timeout_seconds=None, *, template="python-data",
                 limits=None, env=None, metadata=None, url=None, api_key=None, timeout=30):
        if egress:
            raise CoveError("egress=True is not available: a sandbox has no network.", "egress_unavailable",
                            remediation="Leave egress out, and write the data the code needs with write_file().")
        self._timeout = timeout
        self._address = urllib.parse.urlsplit(url or os.environ.get("COVE_URL", "http://127.0.0.1:8787"))
        if self._address.scheme not in ("http", "https") or not self._address.hostname:
            raise CoveError(f"The server's address is {self._address.geturl()!r}.", "invalid_url", remediation="Give http://HOST:PORT, or set COVE_URL.")
        self._key = api_key or os.environ.get("COVE_API_KEY")
        self._connection = None
        request = {"template": template, "limits": limits, "environment": env, "metadata": metadata,
                   "max_lifetime_ms": _milliseconds(max_lifetime_seconds), "idle_timeout_ms": _milliseconds(idle_timeout_seconds)}
        made = self._call("POST", "/v1/sandboxes", {name: value for name, value in request.items() if value is not None},
                          headers={"Idempotency-Key": secrets.token_hex(16)})
        self.id = made["id"]
        self.info = made
        self._closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run_code(self, code, on_stdout=None, on_stderr=None, on_display=None, *, language="python", kernel=None, timeout=None,
                 tools=None, tool_timeout=None, max_tool_calls=None):
        """Runs code in a kernel whose variables stay; returns a Result, whatever the code did. timeout: seconds, default 30.

        tools: name to function; Python code calls them as `await tools.name(...)` and they run here, several at once, in threads.
        Their parameters, with type hints, are what the code may pass. The code is not trusted: check what it passes. An exception
        is told to it by its type alone; raise CoveError("...") to say more. tool_timeout: seconds, default 60. max_tool_calls: default 100.
        """
        what = {"code": code, "language": language, "kernel": kernel, "tools": tools and [_declared(*item) for item in tools.items()],
                "tool_call_timeout_ms": _milliseconds(tool_timeout), "max_tool_calls": max_tool_calls}
        return self._run(what, timeout, on_stdout, on_stderr, on_display, tools)

    def run_command(self, command, on_stdout=None, on_stderr=None, *, cwd=None, env=None, timeout=None):
        """Runs a shell line (a string) or an argument vector (a list) beside the kernels."""
        what = {"shell_line": command} if isinstance(command, str) else {"argv": list(command)}
        return self._run({**what, "working_directory": cwd, "environment": env}, timeout, on_stdout, on_stderr, None)

    def write_file(self, path, content):
        """Writes a file whole; content: str or bytes."""
        body = content.encode() if isinstance(content, str) else bytes(content)
        return self._call("PUT", f"{self._path}/files/content?path={urllib.parse.quote(path, safe='')}", raw=body)

    def read_file(self, path):
        """A file's bytes."""
        return self._call("GET", f"{self._path}/files/content?path={urllib.parse.quote(path, safe='')}", bytes_wanted=True)

    def list_files(self, path="/workspace", depth=1):
        return self._call("GET", f"{self._path}/files/list?path={urllib.parse.quote(path, safe='')}&depth={depth}")["files"]

    def extend(self, lifetime_seconds=None, idle_timeout_seconds=None):
        """Lets it live for lifetime_seconds from now."""
        change = {"lifetime_ms": _milliseconds(lifetime_seconds), "idle_timeout_ms": _milliseconds(idle_timeout_seconds)}
        return self._call("PATCH", self._path, {name: value for name, value in change.items() if value is not None})

    def usage(self):
        return self._call("GET", f"{self._path}/usage")

    def close(self):
        """Ends the sandbox; a second time, and one that ended by itself, is no error."""
        if self._closed:
            return
        self._closed = True
        try:
            self._call("DELETE", self._path)
        except CoveError as error:
            if error.status != 404:
                raise
        finally:
            self._drop()

    @property
    def _path(self):
        return f"/v1/sandboxes/{self.id}"

    def _run(self, what, timeout, on_stdout, on_stderr, on_display, tools=None):
        # The id is chosen here, so that a stream that breaks before its first event can be taken up again.
        run = "r" + "".join(secrets.choice(_ID_LETTERS) for _ in range(19))
        request = {name: value for name, value in what.items() if value is not None}
        request.update(id=run, timeout_ms=_milliseconds(self._timeout if timeout is None else timeout))
        result, seen = Result(), {"stdout": on_stdout, "stderr": on_stderr, "display": on_display}
        workers = concurrent.futures.ThreadPoolExecutor(8) if tools else None
        try:
            for event in self._events(run, request):
                if event["type"] == "tool_call" and workers:
                    workers.submit(self._answer, run, event, tools[event["name"]])
                _take(result, event, seen)
        finally:
            if workers:
                workers.shutdown(wait=False)
        return result

    def _answer(self, run, call, function):
        answer = {"call_id": call["call_id"]}
        try:
            body = json.dumps({"results": [dict(answer, result=function(**call["arguments"]))]})
        except Exception as error:  # whatever it is, the code that called must hear of it
            message = str(error) if isinstance(error, CoveError) else f"The tool failed ({type(error).__name__})."
            body = json.dumps({"results": [dict(answer, error={"category": "exception", "message": message})]})
        connection = self._connect()  # the other one carries the run's events
        try:
            self._send("POST", f"{self._path}/runs/{run}/tool-results?wait=false", body.encode(), {"Content-Type": "application/json"}, connection).read()
        except (CoveError, OSError, http.client.HTTPException):
            pass  # the run ended, or gave up waiting: its events say so
        finally:
            connection.close()

    def _events(self, run, request):
        """The run's events in order, each once, over as many connections as it takes."""
        after, failures, started = 0, 0, False
        while True:
            try:
                path = f"{self._path}/runs/{run}/events?after={after}" if started else f"{self._path}/runs"
                response = self._send("GET" if started else "POST", path, None if started else json.dumps(request).encode(),
                                      {"Accept": "application/x-ndjson", "Content-Type": "application/json"})
                started = True
                for line in response:
                    event = json.loads(line)
                    if event["sequence"] <= after:
                        continue
                    after, failures = event["sequence"], 0
                    yield event
                    if event["type"] == "completed":
                        response.read()
                        return
                raise ConnectionError("the stream ended before the run did")
            except CoveError as error:
                if error.code == "run_not_found" and started and after == 0:
                    started = False  # the first request never arrived: it may be sent again, the id makes it one run
                    continue
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._drop()
                if failures == len(_PAUSES):
                    raise CoveError(f"The stream of run {run} broke and could not be resumed ({error}).", "stream_lost", retryable=True,
                                    remediation="The run goes on in the sandbox.") from error
                # Sent or not, nobody knows: ask for its events first; run_not_found tells that it was not.
                started = True
                time.sleep(_PAUSES[failures])
                failures += 1

    def _call(self, method, path, body=None, *, raw=None, headers=None, bytes_wanted=False):
        payload = raw if raw is not None else None if body is None else json.dumps(body).encode()
        media = "application/octet-stream" if raw is not None else "application/json"
        safe = method in ("GET", "PUT", "DELETE") or "Idempotency-Key" in (headers or {})
        for attempt in (0, 1):
            try:
                response = self._send(method, path, payload, {**({"Content-Type": media} if payload is not None else {}), **(headers or {})})
                content = response.read()
                return content if bytes_wanted else json.loads(content) if content else None
            except (OSError, http.client.HTTPException) as error:
                # A kept connection may have been closed by the other end meanwhile; what can be repeated is, once.
                self._drop()
                if attempt or not safe:
                    raise CoveError(f"Cove does not answer at {self._address.geturl()} ({error}).", "unreachable", retryable=True,
                                    remediation="Check that 'cove serve' is running and that COVE_URL names it.") from error

    def _connect(self):
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        return kind(self._address.hostname, self._address.port, timeout=600)

    def _send(self, method, path, body, headers, connection=None):
        if connection is None:
            connection = self._connection = self._connection or self._connect()
        headers = dict(headers)
        if self._key:
            headers["X-API-Key"] = self._key
        connection.request(method, self._address.path.rstrip("/") + path, body, headers)
        response = connection.getresponse()
        if response.status >= 300:
            raise _problem(response)
        return response

    def _drop(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _declared(name, function):
    """A function as a tool: its parameters are the schema's properties."""
    kinds = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
    properties, required = {}, []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        kind = kinds.get(parameter.annotation)
        properties[parameter.name] = {"type": kind} if kind else {}
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    return {"name": name, "description": inspect.getdoc(function) or "",
            "input_schema": {"type": "object", "properties": properties, "required": required}}


def _take(result, event, seen):
    kind = event["type"]
    if kind == "started":
        result.correlation_id = event.get("correlation_id")
    elif kind == "output":
        name = event["stream"]
        setattr(result, name, getattr(result, name) + event["text"])
        _tell(seen[name], event["text"])
    elif kind == "display":
        if event["is_result"]:
            result.value = event["data"].get("text/plain")
        result.displays.append(event["data"])
        _tell(seen["display"], event["data"])
    elif kind == "notice":
        result.notices.append(event["message"])
    elif kind == "completed":
        _end(result, event["result"], seen["stderr"])


def _end(result, end, on_stderr):
    result.outcome = end["outcome"]
    result.exit_code = end.get("exit_code")
    result.error = end.get("error")
    result.duration_seconds = end["duration_ms"] / 1000
    result.state_lost = end.get("state_lost", False)
    if result.error and result.error["code"] != "exit_code":
        # The traceback is evidence, not output; a model that reads stdout and stderr must find it there.
        evidence = result.error.get("evidence") or {}
        text = evidence.get("traceback") or f"{result.error['message']} {result.error['remediation']}"
        result.stderr += ("\n" if result.stderr and not result.stderr.endswith("\n") else "") + text.rstrip("\n") + "\n"
        _tell(on_stderr, text)


def _tell(callback, value):
    if callback is not None:
        callback(value)


def _milliseconds(seconds):
    return None if seconds is None else round(seconds * 1000)


def _problem(response):
    body = response.read(1 << 20)
    try:
        problem = json.loads(body)
        return CoveError(problem["detail"], problem["code"], response.status, problem.get("retryable", False), problem.get("remediation", ""))
    except (ValueError, KeyError, TypeError):
        return CoveError(f"The server answered {response.status} {response.reason}.", f"http_{response.status}", response.status)
