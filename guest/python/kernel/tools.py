"""`tools`: the caller's tools as async functions with names, types and help, made from their schemas when first looked at."""
from .own import BUILTINS as __builtins__

import inspect
import keyword
import re
import typing

from .hostcalls import ToolCallError

_NONE = ("This run has no tools. Its caller declares them with the run: field 'tools' of the native API, ToolBridge in .NET, "
         "run_code(tools=...) in Python.")
_WORD = re.compile(r"\W")
_SIMPLE = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None, "object": dict}
_Parameter = inspect.Parameter
_calls = None
_functions = None


class _Omitted:
    """The default of what may be left out: the tool decides."""
    __slots__ = ()

    def __repr__(self):
        return "..."


_OMITTED = _Omitted()


def begin(calls):
    """A run starts; `calls` is None when it has no tools."""
    global _calls, _functions
    _calls, _functions = calls, None


class Tools:
    """The tools that this run's caller declared: `await tools.name(...)`; `help(tools.name)` says what one does."""
    __slots__ = ()
    __module__ = "tools"
    _kernel_module = __name__

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = _all().get(name)
        if found is None:
            raise AttributeError("there is no tool %r; there are: %s" % (name, ", ".join(_all())) if _all() else _NONE)
        return found

    def __getitem__(self, name):
        for function in _all().values():
            if function.tool == name:
                return function
        return getattr(self, name)

    def __iter__(self):
        return iter(list(_all().values()))

    def __len__(self):
        return len(_all())

    def __dir__(self):
        return list(_all())

    def __repr__(self):
        lines = ["await tools.%s%s" % (name, inspect.signature(function)) for name, function in _all().items()]
        return "\n".join(lines) or "<no tools>"


TOOLS = Tools()


def _all():
    global _functions
    if _calls is None:
        return {}
    if _functions is None:
        _functions = {tool["python"]: _function(_calls, tool) for tool in _calls.declared()}
    return _functions


def _function(calls, tool):
    name, arguments = tool["name"], _Arguments(tool["python"], tool.get("schema") or {})

    async def call(*args, **kwargs):
        given = arguments.bind(args, kwargs)
        try:
            return await calls.call(name, given)
        except ToolCallError as error:
            error.tool = name
            raise error.with_traceback(None) from None

    call.__name__ = tool["python"]
    call.__qualname__ = "tools." + tool["python"]
    call.__module__ = "tools"
    call.__doc__ = arguments.help(tool["description"])
    call.__signature__ = arguments.signature
    call.__annotations__ = {p.name: p.annotation for p in arguments.signature.parameters.values() if p.annotation is not p.empty}
    call.tool = name
    return call


class _Arguments:
    """A tool's arguments as its schema has them. The schema is anybody's: what it says that is no schema is passed over."""

    def __init__(self, python, schema):
        self._python = python
        properties = schema.get("properties")
        self._properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        self._required = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        extra = schema.get("additionalProperties")
        self._open = bool(extra) or "patternProperties" in schema or (extra is None and not self._properties)
        self._names = {}
        for name in self._required + [name for name in self._properties if name not in self._required]:
            self._names.setdefault(_identifier(name), name)
        self._order = list(self._names.values())
        self.signature = self._signature()

    def bind(self, args, kwargs):
        """The call's arguments by the names of the schema."""
        if len(args) > len(self._order):
            raise TypeError("tools.%s() takes %d arguments, not %d" % (self._python, len(self._order), len(args)))
        given = dict(zip(self._order, args))
        for name, value in kwargs.items():
            known = self._names.get(name, name)
            if known not in self._properties and known not in self._required and not self._open:
                raise TypeError("tools.%s() has no argument %r; it takes: %s" % (
                    self._python, name, ", ".join(self._names) or "none"))
            if known in given:
                raise TypeError("tools.%s() got two values for %r" % (self._python, name))
            given[known] = value
        missing = [_identifier(name) for name in self._required if name not in given]
        if missing:
            raise TypeError("tools.%s() lacks %s" % (self._python, ", ".join(map(repr, missing))))
        return {name: value for name, value in given.items() if value is not ... and value is not _OMITTED}

    def help(self, description):
        lines = []
        for identifier, name in self._names.items():
            schema = self._properties.get(name)
            told = schema.get("description") if isinstance(schema, dict) else None
            if isinstance(told, str):
                lines.append("    %s: %s" % (identifier, told))
        return description + ("\n\nArguments:\n" + "\n".join(lines) if lines else "")

    def _signature(self):
        parameters = []
        for identifier, name in self._names.items():
            schema = self._properties.get(name)
            default = _Parameter.empty
            if name not in self._required:
                default = schema.get("default", _OMITTED) if isinstance(schema, dict) else _OMITTED
            parameters.append(_Parameter(identifier, _Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=_annotation(schema)))
        if self._open:
            more = "more"
            while more in self._names:
                more += "_"
            parameters.append(_Parameter(more, _Parameter.VAR_KEYWORD))
        return inspect.Signature(parameters)


def _identifier(name):
    word = _WORD.sub("_", name)
    if not word.isidentifier():
        word = "_" + word.encode("ascii", "replace").decode().replace("?", "_")
    return word + "_" if keyword.iskeyword(word) else word


def _annotation(schema, depth=0):
    if not isinstance(schema, dict) or depth > 4:
        return typing.Any
    if "const" in schema:
        return _literal([schema["const"]])
    if isinstance(schema.get("enum"), list):
        return _literal(schema["enum"])
    for several in (schema.get("anyOf"), schema.get("oneOf")):
        if isinstance(several, list) and 0 < len(several) <= 8:
            return typing.Union[tuple(_annotation(one, depth + 1) for one in several)]
    kind = schema.get("type")
    if isinstance(kind, list) and 0 < len(kind) <= 7:
        return typing.Union[tuple(_annotation(dict(schema, type=one), depth + 1) for one in kind)]
    if kind == "array":
        return list[_annotation(schema["items"], depth + 1)] if "items" in schema else list
    return _SIMPLE.get(kind, typing.Any) if isinstance(kind, str) else typing.Any


def _literal(values):
    if 0 < len(values) <= 32 and all(value is None or isinstance(value, (str, int, bool)) for value in values):
        return typing.Literal[tuple(values)]
    return typing.Any
