"""Which expressions read the environment while a program is loaded, and which of them a file of variables may serve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.project.callees import last_name
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.readers import Declaration
from connlint.project.stage import Stages
from connlint.project.timeline import Chain
from connlint.project.values import Values

_SEEN_THROUGH = (p.Argument, p.Call, p.Concat, p.Index, p.Member, p.Logical, p.Conditional, p.Not, p.Compare, p.Opaque)
"""What may stand between a read and the call that shows it."""


class Read(Struct, frozen=True, eq=False):
    """A read of ``variables``; ``chain`` are the calls that lead to it from a top level, where it is in a function.

    ``asked`` is the parameter that names the variable, in a function which reads whatever its caller asks for.
    """

    module: Module
    node: Any
    variables: tuple[str, ...]
    chain: Chain | None = None
    asked: p.Param | None = None

    def told_by(self, chain: Chain) -> Read | None:
        """The read as ``chain`` leads to it: of the variable that its last call names; None where that is not plain."""
        call = chain.links[-1].node
        if type(call) is not p.Call or self.asked is None or any(item.spread for item in call.args):
            return None
        function = self.module.parent(self.asked)
        params = [q for q in function.params if getattr(q.target, "id", "") not in ("self", "cls")]
        number = next((n for n, q in enumerate(params) if q is self.asked), None)
        plain = [item.value for item in call.args if item.name is None]
        named = [item.value for item in call.args if item.name == getattr(self.asked.target, "id", None)]
        value = named[0] if named else plain[number] if number is not None and number < len(plain) else None
        return Read(self.module, self.node, (value.value,), chain) if type(value) is p.Text else None


class Reads:
    """Answers about one project. ``options`` are those of the card."""

    def __init__(self, project: Project, values: Values, stages: Stages, options: dict[str, Any]) -> None:
        self.project = project
        self.values = values
        self.environment = values.environment
        self.stages = stages
        self.options = options
        self.words = tuple(word.encode() for word in options["words"])
        self._reads: dict[str, list[Read]] = {}

    def may_read(self, path: str) -> bool:
        """Whether the bytes of a file hold a word of some reader."""
        data = importers(self.project).data(path)
        return any(word in data for word in self.words)

    def of(self, module: Module) -> list[Read]:
        """Every read of the environment in ``module``, wherever it stands."""
        found = self._reads.get(module.path)
        if found is None:
            found = self._reads[module.path] = sorted(self._find_reads(module), key=lambda read: read.node.at)
        return found

    def _find_reads(self, module: Module) -> Iterator[Read]:
        filled = self._filled(module)
        for read in self._all_reads(module):
            if filled.isdisjoint(id(above) for above in module.parents(read.node)):
                yield read

    def _filled(self, module: Module) -> set[int]:
        """The classes whose fields are filled from a file of their own, so that their defaults do not matter."""
        if module.program.language != "python" or not self._reads_own_file(module):
            return set()
        return {id(declaration.owner) for declaration in self.environment.declarations(module)}

    def _reads_own_file(self, module: Module) -> bool:
        return any(word.encode() in module.source.data for word in self.options["own_files"])

    def _all_reads(self, module: Module) -> Iterator[Read]:
        for reading in (p.Member, p.Index, p.Call):
            for node in module.nodes(reading):
                access = self.environment.access(module, node)
                if access is None or access.writes or self._written(module, node):
                    continue
                names = tuple(access.prefix + name for said in access.names
                              for name in ([said] if isinstance(said, str) else self._texts(module, said)))
                if names:
                    yield Read(module, node, names)
                elif (asked := self._asked(module, access.names)) is not None:
                    yield Read(module, node, (), asked=asked)
        for let in module.nodes(p.Let):
            if type(let.target) is p.Record and let.value is not None and self.environment.mapping(module, let.value):
                names = tuple(e.key.value for e in let.target.entries if type(e.key) is p.Text)
                if names:
                    yield Read(module, let, names)
        declared = self.environment.declarations(module)
        if declared and module.program.language == "python":
            yield from self._settings(module, declared)
        elif declared:
            names = tuple(v for d in declared for v in d.variables)
            for given in (p.Member, p.Name):
                for node in module.nodes(given):
                    if type(module.parent(node)) in (p.Argument, p.Spread) and self.environment.mapping(module, node):
                        yield Read(module, node, names)

    def _settings(self, module: Module, declared: list[Declaration]) -> Iterator[Read]:
        """Instances of settings classes that read the environment when they are made, and no file of their own."""
        if self._reads_own_file(module):
            return
        variables: dict[int, list[str]] = {}
        for declaration in declared:
            variables.setdefault(id(declaration.owner), []).extend(declaration.variables)
        for call in module.nodes(p.Call):
            found = module.only(call.callee.id, call.callee) if type(call.callee) is p.Name else None
            if found is not None and id(found.value) in variables:
                yield Read(module, call, tuple(variables[id(found.value)]))

    def _asked(self, module: Module, names: tuple[Any, ...]) -> p.Param | None:
        """The parameter that is the name of what is read."""
        name = names[0] if len(names) == 1 else None
        found = module.lookup(name.id, name) if type(name) is p.Name else []
        only = found[0] if len(found) == 1 and found[0].kind == "param" and not found[0].path else None
        return only.node if only is not None and type(only.node) is p.Param else None

    def _texts(self, module: Module, expression: Any) -> list[str]:
        return [q.text for q in self.values.possible(module, expression)[:3] if q.text and q.text.isidentifier()]

    def _written(self, module: Module, node: Any) -> bool:
        above = module.parent(node)
        return type(above) is p.Delete or (type(above) in (p.Assign, p.Let) and above.target is node)

    def counts(self, read: Read, known: frozenset[str]) -> str | None:
        """The variable of ``read`` that a file of variables may set; ``known`` are those that such files name."""
        for name in read.variables:
            if name in self.stages.variables or name in self.stages.flags or name in self.options["ignored"]:
                continue
            if known and name not in known:
                continue
            if self.stages.only_in_development(read.module, read.node) or self._is_only_shown(read):
                continue
            return name
        return None

    def _is_only_shown(self, read: Read) -> bool:
        """Whether nothing comes of a read but words for people: ``print(os.getenv("URL"))``."""
        below: Any = read.node
        for above in read.module.parents(read.node):
            kind = type(above)
            if kind is p.Evaluate:
                return type(below) is p.Call and last_name(below.callee) in self.options["shows"]
            if kind not in _SEEN_THROUGH:
                return False
            below = above
        return False

    def named(self, path: str) -> frozenset[str]:
        """The variables that files of variables name, next to ``path`` or above it; empty where there are none."""
        pattern = re.compile(self.options["files"])
        found: set[str] = set()
        for other in self.project.tree.paths:
            folder, _, name = other.rpartition("/")
            if pattern.match(name) and (not folder or path.startswith(f"{folder}/")):
                data = self.project.tree.read(other) or b""
                found.update(m.decode() for m in re.findall(rb"(?m)^[#\s]*(?:export\s+)?([A-Za-z_]\w*)[ \t]*=", data))
        return frozenset(found)
