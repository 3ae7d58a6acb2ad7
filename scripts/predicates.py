"""Functions named `is_`, `may_`, `has_`, `can_` answer a question: they must not change anything.

A reader of `if may_send(...)` expects to be able to ask twice. A function writes when it changes
rows, Redis or an object that it was given, or calls a function of ours that does so. Exits with 1
and names each predicate that writes. Run by `make check`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    *("wechatbot", "webhook", "simulator", "tickets", "assistant"),
    *("knowledge", "conversations", "wechat", "llm", "common"),
)

PREDICATE = re.compile(r"_?(is|may|has|can)_\w")
# Methods that write to a database or to Redis, whatever they are called on.
WRITING_METHODS = {
    *("save", "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update"),
    *("publish", "zadd", "zrem", "setex", "expire", "incr", "decr", "hset", "lpush", "rpush"),
    *("write_text", "write_bytes", "unlink", "send_text"),
}
# Methods that write when what they are called on did not come into being in the function.
CHANGING_METHODS = {
    *("update", "delete", "set", "add", "remove", "discard", "append", "extend", "insert"),
    *("pop", "popitem", "clear", "setdefault", "put"),
}
WRITING_SQL = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b")

# A module and a name in it.
Name = tuple[str, str]
# A name may be handed on by one package to the next. Circles end here.
MOST_HANDS = 5


@dataclass
class Function:
    """One function of ours: what it calls by a name that can be followed, and whether it writes."""

    module: str
    name: str
    line: int
    path: Path
    calls: set[Name] = field(default_factory=set)
    why: str = ""

    @property
    def key(self) -> Name:
        return self.module, self.name


def main() -> int:
    problems = list(writing_predicates(_sources()))
    print("\n".join(problems) or "No predicate writes.")
    return 1 if problems else 0


def _sources() -> Iterator[tuple[str, Path, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield module.removesuffix(".__init__"), path.relative_to(ROOT), path.read_text()


def writing_predicates(sources: Iterable[tuple[str, Path, str]]) -> Iterator[str]:
    """One line for each predicate that writes; `sources` are (module, path, source)."""
    functions: dict[Name, Function] = {}
    imports: dict[Name, Name] = {}
    for module, path, source in sources:
        tree = ast.parse(source)
        imports |= {(module, name): origin for name, origin in _imports(tree).items()}
        functions |= {found.key: found for found in _functions_of(module, path, tree)}
    for function in functions.values():
        function.calls = {_origin(call, imports) for call in function.calls}
    _spread(functions)
    for function in functions.values():
        if function.why and PREDICATE.match(function.name.rpartition(".")[2]):
            yield f"{function.path}:{function.line}: {function.name} {function.why}"


def _origin(name: Name, imports: dict[Name, Name]) -> Name:
    """Where a name is defined that a package only hands on."""
    for _ in range(MOST_HANDS):
        if name not in imports:
            break
        name = imports[name]
    return name


def _spread(functions: dict[Name, Function]) -> None:
    """Whoever calls a function that writes, writes."""
    has_grown = True
    while has_grown:
        has_grown = False
        for function in functions.values():
            guilty = None if function.why else _writing_callee(function, functions)
            if guilty is not None:
                function.why = f"calls {guilty.name}, which writes"
                has_grown = True


def _writing_callee(function: Function, functions: dict[Name, Function]) -> Function | None:
    called = (functions.get(call) for call in sorted(function.calls))
    return next((callee for callee in called if callee is not None and callee.why), None)


def _functions_of(module: str, path: Path, tree: ast.Module) -> Iterator[Function]:
    imports = _imports(tree)
    for owner, node in _definitions(tree):
        name = f"{owner}.{node.name}" if owner else node.name
        function = Function(module, name, node.lineno, path)
        _Reader(function, owner, imports, node).read()
        yield function


def _definitions(
    tree: ast.Module,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions of the module and methods of its classes, with the class's name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield node.name, member


def _imports(tree: ast.Module) -> dict[str, Name]:
    """Local name -> (module, name in it); the name is "" for a module itself."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name] = (alias.name, "")
    return found


class _Reader:
    """Reads one function's body."""

    def __init__(
        self,
        function: Function,
        owner: str,
        imports: dict[str, Name],
        node: ast.FunctionDef | ast.AsyncFunctionDef,
    ) -> None:
        self._function = function
        self._owner = owner
        self._imports = imports
        self._node = node
        self._own = _names_made_in(node)

    def read(self) -> None:
        for node in ast.walk(self._node):
            match node:
                case ast.Assign(targets=targets) | ast.Delete(targets=targets):
                    for target in targets:
                        self._check_target(target)
                case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                    self._check_target(target)
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    self._blame(f"sets {names[0]}, which lives longer than it")
                case ast.Constant(value=str(text)) if WRITING_SQL.match(text):
                    self._blame("writes by SQL")
                case ast.Call():
                    self._read_call(node)

    def _blame(self, why: str) -> None:
        self._function.why = self._function.why or why

    def _check_target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Attribute | ast.Subscript) and not self._is_own(target):
            self._blame(f"sets {ast.unparse(target)}")

    def _is_own(self, node: ast.expr) -> bool:
        root = _root(node)
        return isinstance(root, ast.Name) and root.id in self._own

    def _read_call(self, call: ast.Call) -> None:
        match call.func:
            case ast.Name(id=name):
                self._function.calls.add(self._imports.get(name, (self._function.module, name)))
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self._function.calls.add((self._function.module, f"{self._owner}.{name}"))
            case ast.Attribute(value=ast.Name(id=root), attr=name) if root in self._imports:
                module, inner = self._imports[root]
                self._function.calls.add((f"{module}.{inner}".rstrip("."), name))
            case ast.Attribute(value=value, attr=name):
                if name in WRITING_METHODS:
                    self._blame(f"calls .{name}()")
                elif name in CHANGING_METHODS and not self._is_own(value):
                    self._blame(f"calls {ast.unparse(value)[:40]}.{name}()")


def _root(node: ast.expr) -> ast.expr:
    while True:
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
                node = inner
            case _:
                return node


def _names_made_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that the body itself binds to something new: a call's result, a literal."""
    made = set()
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if isinstance(value, ast.Dict | ast.List | ast.Set | ast.ListComp | ast.Call):
                    made.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                made.add(name)
    return made


if __name__ == "__main__":
    sys.exit(main())
