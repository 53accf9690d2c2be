"""The project: its files, read and linked when somebody asks."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from connlint.model import program as p
from connlint.model.source import Source, Undecodable
from connlint.patterns import Led
from connlint.project.answer import Answer, Found, Unknown
from connlint.project.module import Definition, Key, Module
from connlint.project.sweeping import Sweeper
from connlint.project.tree import Tree

MOST_KEPT = 1_000_000
"""Bytes of source whose modules are kept; in memory, what was read of a module is a hundred times as large."""
LARGE = 400_000
"""Bytes of a file that is read as far as it is asked for, however often that is."""
_DEFAULT = (b"default", b"exports")
"""What stands in the statement that says what a module exports under no name."""
_PASSES_ON = Led((b"import", b"export"), rb"(?:import|export)(?:\s+type)?\s*\*")
"""What stands in a file that passes on all names of another."""
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
Reader = Callable[[Source, Iterable[bytes] | None], p.Program]
"""Lowers one file; with words, functions and classes that hold none of them may stay unread. Never raises: what it
cannot read becomes problems of the program."""
_T = TypeVar("_T")
_P = ParamSpec("_P")
Bound = tuple[Module, list[Definition]]
"""What a name is bound to: the module that binds it, and its definitions there."""


class Project:
    """Everything that checks may ask about more than one file. Work is done on demand and kept.

    ``readers`` maps a file suffix (".py") to its reader; ``linkers`` the language name to an object with
    ``resolve(path, module) -> Answer``.
    """

    def __init__(self, tree: Tree, readers: dict[str, Reader], linkers: Mapping[str, Any]) -> None:
        self.tree = tree
        self.readers = readers
        self.linkers = linkers
        self.reported: frozenset[str] | None = None
        """The files that findings are wanted for; None for all. What is read to find them is not limited by it."""
        self.problems: dict[str, p.Problem] = {}
        self.memo: dict[Key, Any] = {}
        """Room for what is computed about the whole project and needed again."""
        self._modules: dict[str, Module | None] = {}
        self._words: dict[str, frozenset[bytes]] = {}
        """The words for which a module was read, where it was not read whole."""
        self._followed: Counter[str] = Counter()
        """How often each module was followed to; of one that was, more is asked for."""
        self._wholly: set[str] = set()
        """Modules that were asked for several names, and are read whole from now on."""
        self._kept = 0
        self.sweeper = Sweeper()

    def single(self, kind: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
        """The one object of ``kind`` of this project, made of what is ``given`` at the first call."""
        found: _T | None = self.memo.get(kind)
        if found is None:
            found = self.memo[kind] = kind(*given, **named)
        return found

    @property
    def is_full(self) -> bool:
        """Whether the modules that are kept have more than `MOST_KEPT` bytes."""
        return self._kept > MOST_KEPT

    def module(self, path: str, words: Iterable[bytes] | None = None) -> Module | None:
        """The module at ``path``, read at the first call; None where it is no code or cannot be read at all.

        With ``words``, only what holds one of them, or is mentioned by what does, need be read. Who asks without words
        gets the whole.
        """
        if path in self._modules:
            have = self._words.get(path)
            if have is None:
                return self._modules[path]
            if words is not None:
                if have.issuperset(words):
                    return self._modules[path]
                words = have.union(words)
        self._words.pop(path, None)
        if words is not None:
            words = self._words[path] = frozenset(words)
        self._let_go(path)
        found = self._modules[path] = self._read(path, words)
        if words is not None and found is not None and not found.nodes(p.Unread):
            del self._words[path]
        self._kept += _bytes_read(found) if found is not None else 0
        return found

    def forget(self, path: str) -> None:
        """Let go of a module that has been checked; whoever asks for it again has it read again."""
        if path not in self._followed:
            if (module := self._modules.get(path)) is not None:
                # what was found out about a module leads back to it, and would keep it until somebody looks for circles
                module.memo.clear()
            self._let_go(path)
            self._modules.pop(path, None)
            self._words.pop(path, None)

    def _let_go(self, path: str) -> None:
        module = self._modules.get(path)
        self._kept -= _bytes_read(module) if module is not None else 0
        self._modules[path] = None

    def trim(self) -> bool:
        """Let go of modules where there `is_full`, of all but those that were followed to most; whether it did so.

        Whoever asks for one again has it read again, so this is for the time between two questions.
        """
        if not self.is_full:
            return False
        kept: dict[str, Module | None] = {}
        size = 0
        for path, _ in self._followed.most_common():
            module = self._modules.get(path)
            if module is not None and size + (more := _bytes_read(module)) <= MOST_KEPT // 3:
                kept[path] = module
                size += more
        for module in self._modules.values():
            if module is not None:
                # what was found out about one leads back to it, and to others that are let go of
                module.memo.clear()
        self._modules = kept
        self._kept = size
        self._followed = Counter({path: self._followed[path] // 2 for path in kept})
        self._words = {path: words for path, words in self._words.items() if path in kept}
        self.sweeper.sweep()
        return True

    def _read(self, path: str, words: Iterable[bytes] | None) -> Module | None:
        reader = self.readers.get(path[path.rfind(".") :] if "." in path else "")
        data = self.tree.read(path) if reader else None
        if reader is None or data is None:
            return None
        try:
            source = Source.decode(path, data, cookie=path.endswith((".py", ".pyi")))
        except Undecodable as error:
            self.problems[path] = p.Problem("encoding", str(error), path)
            return None
        try:
            program = reader(source, words)
            module = Module(path, source, program)
        except RecursionError:
            self.problems[path] = p.Problem("too-deep", "nested too deeply to be read", path)
            return None
        for problem in program.problems[:1]:
            if problem.at is not None:
                message = f"line {source.line(problem.at[0])}: {problem.message}"
                problem = p.Problem(problem.kind, message, path, problem.at)
            self.problems.setdefault(path, problem)
        return module

    def resolve(self, module: Module, specifier: str) -> Answer:
        """What ``specifier``, written in ``module``, means: a file of the project, missing, or unknown."""
        language = "python" if module.program.language == "python" else "javascript"
        linker = self.linkers.get(language)
        return linker.resolve(module.path, specifier) if linker else Unknown("no linker")

    def exported(self, module: Module, name: str, _seen: frozenset[str] = frozenset()) -> Bound | None:
        """Where ``name``, as other files import it from ``module``, is bound: the module and its definitions there.

        Follows re-exports and barrels. None where that is not known.
        """
        if _seen:
            return self._exported(module, name, _seen)
        # barrels of barrels make this the dearest of all questions, and the same few names are asked again and again
        known: dict[str, Bound | None] = module.memo.setdefault(Project.exported, {})
        if name not in known:
            known[name] = self._exported(module, name, _seen)
        return known[name]

    def _exported(self, module: Module, name: str, _seen: frozenset[str]) -> Bound | None:
        if module.path in _seen:
            return None
        seen = _seen | {module.path}
        if module.program.language == "python":
            found = module.scope.names.get(name)
            if found:
                return self._through(module, found, seen)
            bound = None
            for star in reversed(module.scope.stars):
                target = self._passed_on(module, star.module, name)
                if target and (answer := self.exported(target, name, seen)):
                    if bound is not None:
                        return None  # which of the two a test decides
                    bound = answer
                    if module.parent(star) is module.program:
                        break  # the last one counts
            return bound
        for export in module.nodes(p.Export):
            for exported in export.names:
                if exported.name == name and name != "*":
                    if export.source is not None:
                        if exported.local == "*":
                            return None
                        target = self._target(module, export.source, exported.local)
                        if target is None:
                            return None
                        return self.exported(target, exported.local, seen)
                    if export.value is not None:
                        value = export.value
                        if type(value) is p.Name and (found := module.lookup(value.id, value)):
                            return self._through(module, found, seen)
                        return module, [Definition(name, "value", export, export.at, value)]
                    if found := module.scope.names.get(exported.local):
                        return self._through(module, found, seen)
                    return None
        for assigned, value in self._commonjs(module):
            if assigned == name:
                if type(value) is p.Name and (found := module.lookup(value.id, value)):
                    return self._through(module, found, seen)
                return module, [Definition(name, "value", value, value.at, value)]
        for export in module.nodes(p.Export):
            if export.source is not None and any(e.local == "*" and e.name == "*" for e in export.names):
                target = self._passed_on(module, export.source, name)
                if target and (answer := self.exported(target, name, seen)):
                    return answer
        return None

    def whole(self, module: Module, call: p.Call) -> tuple[Module, p.Expression] | None:
        """The file of the project that ``call`` requires, and what that makes of ``module.exports`` as a whole."""
        specifier = required(call)
        target = self._target(module, specifier, "default") if specifier is not None else None
        found = [value for name, value in self._commonjs(target) if name == "default"] if target is not None else []
        return (target, found[0]) if target is not None and len(found) == 1 else None

    def _commonjs(self, module: Module) -> list[tuple[str, p.Expression]]:
        """Names and values that ``exports`` and ``module.exports`` get at the top level; "default" is the whole."""
        known: list[tuple[str, p.Expression]] | None = module.memo.get(Project._commonjs)
        if known is not None:
            return known
        found: list[tuple[str, p.Expression]] = []
        module.memo[Project._commonjs] = found
        for assign in module.nodes(p.Assign):
            target = assign.target
            if type(target) is not p.Member:
                continue
            owner = module.qualified(target)
            if owner == "module.exports":
                whole: Any = assign.value
                found.append(("default", whole))
                if type(whole) is p.Name and (bound := module.only(whole.id, whole)) is not None and not bound.path:
                    whole = bound.value
                if type(whole) is p.Record:
                    found += [(e.key.value, e.value) for e in whole.entries if type(e.key) is p.Text]
            elif owner in (f"exports.{target.name}", f"module.exports.{target.name}"):
                found.append((target.name, assign.value))
        return found

    def _passed_on(self, module: Module, specifier: str, name: str) -> Module | None:
        """What `_target` gives, for a statement that passes on all that ``specifier`` has; None where its bytes show
        that it has no ``name``. A barrel passes on hundreds of files, of which one has the name."""
        answer = self.resolve(module, specifier)
        if isinstance(answer, Found) and name != "default" and name.isascii():
            if name.encode() not in (self.tree.read(answer.path) or b"") and not self._passes_on(answer.path):
                return None
        return self._target(module, specifier, name)

    def _passes_on(self, path: str) -> bool:
        """Whether a file may have names that it does not hold."""
        memo: dict[str, bool] = self.memo.setdefault(Project._passes_on, {})
        if path not in memo:
            data = self.tree.read(path) or b""
            memo[path] = data.startswith(_WIDE) or _PASSES_ON.search(data) is not None
        return memo[path]

    def _target(self, module: Module, specifier: str, name: str) -> Module | None:
        """The module that ``specifier`` means, read at least as far as ``name`` goes."""
        answer = self.resolve(module, specifier)
        if not isinstance(answer, Found):
            return None
        self._followed[answer.path] += 1
        if answer.path in self._wholly:
            return self.module(answer.path)
        words = _DEFAULT if name == "default" else (name.encode(),)
        have = self._words.get(answer.path)
        if have is None or have.issuperset(words):
            return self.module(answer.path, words)
        # most modules are asked for one name; whoever reads one a second time may as well read all of it, unless that
        # takes seconds
        read = self._modules.get(answer.path)
        if read is not None and len(read.source.data) > LARGE:
            return self.module(answer.path, words)
        self._wholly.add(answer.path)
        return self.module(answer.path)

    def _through(self, module: Module, found: list[Definition], seen: frozenset[str]) -> Bound:
        if len(found) == 1 and found[0].kind == "import":
            answer = self.imported(module, found[0], seen)
            if answer is not None:
                return answer
        return module, found

    def imported(self, module: Module, definition: Definition, _seen: frozenset[str] = frozenset()) -> Bound | None:
        """What an imported name is bound to in the module it comes from; None where that is not known or not ours."""
        statement, name = definition.statement, definition.node
        if statement is None or name.name == "*":
            return None
        target = self._target(module, statement.module, name.name)
        return self.exported(target, name.name, _seen) if target is not None else None

    def definitions(self, module: Module, name: p.Name) -> Bound:
        """All bindings that ``name``, read in ``module``, may mean, followed through one import of this project.

        An empty list is a global. Definitions of kind "import" are left as they are where they lead outside.
        """
        found = module.lookup(name.id, name)
        if len(found) == 1:
            if found[0].kind == "import":
                return self.imported(module, found[0]) or (module, found)
            if found[0].kind == "value" and found[0].path and isinstance(found[0].value, (p.Call, p.Await)):
                specifier = required(found[0].value)
                key = found[0].path[0]
                if specifier is not None and isinstance(key, str) and len(found[0].path) == 1:
                    target = self._target(module, specifier, key)
                    if target is not None and (answer := self.exported(target, key)):
                        return answer
        return module, found


def _bytes_read(module: Module) -> int:
    """How much of a module's source has become nodes."""
    unread = sum(part.at[1] - part.at[0] for part in module.program.body if type(part) is p.Unread)
    return len(module.source.data) - unread


def required(value: p.Expression) -> str | None:
    """The module that ``require("x")`` or ``await import("x")`` loads."""
    if type(value) is p.Await:
        value = value.value
    if type(value) is p.Call and type(value.callee) is p.Name and value.callee.id in ("require", "import"):
        if value.args and type(value.args[0].value) is p.Text:
            return value.args[0].value.value
    return None
