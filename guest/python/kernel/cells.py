"""One cell: compiled, run in the shared namespace, the value of its last expression handed back."""
from .own import BUILTINS as __builtins__

import __future__ as futures
import ast
import asyncio
import inspect
import re
import sys
import types

from . import tracebacks, transform

NOTHING = object()
# What Out remembers. IPython keeps every result for ever, which in a sandbox with a memory limit is a leak.
HISTORY = 100

_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_TREE = ast.PyCF_ONLY_AST | _AWAIT
_COROUTINE = inspect.CO_COROUTINE
_FUTURES = 0
for _name in futures.all_feature_names:
    _FUTURES |= getattr(futures, _name).compiler_flag
_Expr, _Expression, _Module = ast.Expr, ast.Expression, ast.Module
# What may stand between the end of the last expression and the semicolon that says "do not show it".
_SILENCED = re.compile(r"(?:[\s)\\]|#[^\n]*(?:\n|$))*;")
_modules = sys.modules


class Cells:
    def __init__(self):
        self.module = types.ModuleType("__main__")
        self.module.__builtins__ = sys.modules["builtins"]
        self.space = self.module.__dict__
        self.space["In"] = self.inputs = [""]
        self.space["Out"] = self.outputs = {}
        self.filename = "<cell 0>"
        self._builtins = sys.modules["builtins"]
        self._count = 0
        self._features = 0
        self._loop = None
        self._last = {}

    def begin(self, source):
        """Numbers the cell and puts back what guest code may have taken away. Runs no guest code."""
        self._count = count = self._count + 1
        self.filename = filename = f"<cell {count}>"
        self.inputs.append(source)
        space = self.space
        space["__builtins__"] = self._builtins
        if "__name__" not in space:
            space["__name__"] = "__main__"
        _modules["__main__"] = self.module
        # Python shows a warning once per line number, and every cell has a line 1.
        space.pop("__warningregistry__", None)
        tracebacks.remember(filename, source)

    def forget(self):
        """As before the first cell."""
        self._count = 0
        self.filename = "<cell 0>"
        del self.inputs[1:]
        for number in self.outputs:
            self.space.pop("_%d" % number, None)
        for name in self._last:
            self.space.pop(name, None)
        self.outputs.clear()
        self._last.clear()
        tracebacks.forget()

    def run(self, source, filename=None):
        """Runs source in the namespace; returns its last expression's value or NOTHING."""
        body, last = self._compile(source, filename or self.filename)
        if body is not None:
            self._execute(body)
        return self._execute(last) if last is not None else NOTHING

    def remember(self, value):
        """`_`, `__`, `___`, `_3` and Out, unless guest code uses those names for something else."""
        space, last = self.space, self._last
        if "_" not in space or ("_" in last and space["_"] is last["_"]):
            if "_" in last:
                if "__" in last:
                    space["___"] = last["___"] = last["__"]
                space["__"] = last["__"] = last["_"]
            space["_"] = last["_"] = value
        count, outputs = self._count, self.outputs
        outputs[count] = space[f"_{count}"] = value
        if len(outputs) > HISTORY:
            oldest = next(iter(outputs))
            del outputs[oldest]
            space.pop("_%s" % oldest, None)

    def loop(self):
        """The event loop of all cells, so that a task started in one goes on in the next that awaits."""
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        # asyncio.run in an earlier cell left none set.
        asyncio.set_event_loop(self._loop)
        return self._loop

    def close_loop(self):
        """Closes the loop's descriptors; the next await makes a new one."""
        if self._loop is not None:
            self._loop.close()
            asyncio.set_event_loop(None)
            self._loop = None

    def _compile(self, source, filename):
        flags = _AWAIT | self._features
        if "\n" not in source and "=" not in source:
            # Most one-liners are expressions: compiled in one step, without a syntax tree in between.
            try:
                return None, compile(source, filename, "eval", flags, True)
            except SyntaxError:
                pass
        tree, refused = self._parse(source, filename)
        if refused is not None:
            changed = transform.transform(source)
            if changed is None:
                raise refused
            tree, refused_again = self._parse(changed, filename)
            if refused_again is not None:
                raise _as_written(refused_again, source)
            source = changed
        statements = tree.body
        if not statements:
            return None, None
        final = statements[-1]
        if type(final) is not _Expr or _silenced(source, final):
            return self._code(tree, filename, "exec"), None
        last = _Expression(final.value)
        if len(statements) == 1:
            return None, self._code(last, filename, "eval")
        del statements[-1]
        return self._code(tree, filename, "exec"), self._code(last, filename, "eval")

    def _parse(self, source, filename):
        try:
            return compile(source, filename, "exec", _TREE | self._features, True), None
        except SyntaxError as error:
            # Returned, not handled here: raised later, outside, it carries no "during handling of" chain.
            return None, error.with_traceback(None)

    def _code(self, tree, filename, mode):
        code = compile(tree, filename, mode, _AWAIT | self._features, True)
        # `from __future__ import annotations` holds for the cells after it, as at Python's own prompt.
        self._features |= code.co_flags & _FUTURES
        return code

    def _execute(self, code):
        if not code.co_flags & _COROUTINE:
            return eval(code, self.space)
        loop = self.loop()
        task = loop.create_task(eval(code, self.space))
        try:
            return loop.run_until_complete(task)
        except KeyboardInterrupt:
            # Interrupted in its wait, the cell's own task would go on in the next cell.
            if not task.done():
                task.cancel()
                loop.run_until_complete(asyncio.wait([task], timeout=1))
            raise


def _silenced(source, final):
    if ";" not in source:
        return False
    lines = source.split("\n")
    at = final.end_lineno - 1
    rest = lines[at].encode("utf-8", "replace")[final.end_col_offset:].decode("utf-8", "replace")
    return _SILENCED.match("\n".join([rest] + lines[at + 1:])) is not None


def _as_written(error, source):
    """A syntax error of a translated cell, told with the line the user wrote."""
    lines = source.split("\n")
    if error.lineno is not None and 0 < error.lineno <= len(lines) and error.text is not None:
        written = lines[error.lineno - 1]
        if written.rstrip() != error.text.rstrip():
            error.text, error.offset, error.end_offset = written, None, None
    return error
