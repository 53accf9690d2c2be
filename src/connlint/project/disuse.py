"""Values that nobody reads: whoever gets at what they became part of is seen to take something else of it.

A value is followed through names, objects and results, out of its module and into every file that imports it. What is
not understood on the way may be a reader, and so may be whoever is not seen: programs that use a published package,
what loads a module by its name, and, in a project of a few files, what its author left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from connlint.model import program as p
from connlint.patterns import Led, regex
from connlint.project.abandoned import Abandoned
from connlint.project.answer import Found
from connlint.project.by_hand import ByHand
from connlint.project.importers import importers
from connlint.project.javascript_paths import INSTALLED
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.project import Project, required
from connlint.project.stage import Stages
from connlint.project.uses import references

_CROWD = 10
"""Files of the package that others import, from which on those that would read a value are taken to be there."""
_MOST = 60
"""Importers of one module that are followed."""
_STEPS = 300
"""Steps from one value that are followed: each name of an object is one, if only to see that another part is meant."""
_CALLED = "()"
"""Among keys: what a function gives back."""
_WITH_TEMPLATES = (".vue", ".svelte", ".astro", ".mdx")
"""Files whose pages may name what their script imports."""
_LOADED_BY_NAME = regex(
    r"(?:^|/)(?:Dockerfile[^/]*|Procfile[^/]*|[^/]+\.(?:ya?ml|toml|cfg|ini|json|sh|conf|env|service))$")

_LOADS_PYTHON = Led(
    (b"import_module", b"__import__", b"spec_from_file_location", b"runpy", b"exec(", b"walk_packages",
     b"iter_modules"),
    rb"\bimport_module\s*\(\s*(?![\s\"'])|\b__import__\s*\(\s*(?![\s\"'])|\bspec_from_file_location\b|\brunpy\b|"
    rb"\bexec\(|\bwalk_packages\b|\biter_modules\b")
_LOADS_JAVASCRIPT = Led(
    (b"import", b"require"),
    rb"import\.meta\.glob|require\.context|\b(?:require|import)\s*\(\s*(?:[\w$]|`[^`]*\$\{|['\"][^'\"]*['\"]\s*\+)")
"""What loads files that are not written out."""

Keys = tuple[str, ...]


class Disuse:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages) -> None:
        self.project = project
        self.stages = stages
        self.index = importers(project)
        self.abandoned = Abandoned.of(project, stages)
        self._crowds: dict[tuple[str, bool], bool] = {}

    @classmethod
    def of(cls, project: Project, stages: Stages) -> Disuse:
        """The one `Disuse` of a project."""
        return project.single(cls, project, stages)

    def has(self, module: Module, node: Any) -> bool:
        """Whether nothing of the program, tests aside, can come to the value of the expression ``node``."""
        if not isinstance(node, p.Expression) or not self.is_crowded(module.path):
            return False
        # functions that no rule asks about may not have been read, and may be those that use the value
        whole = self.project.module(module.path)
        same = next((other for other in whole.nodes(type(node)) if other.at == node.at), None) if whole else None
        return whole is not None and same is not None and not _Trail(self).may_be_read(whole, same)

    def is_crowded(self, path: str) -> bool:
        """Whether the package of ``path`` is so large that those who would read its values are there."""
        package = (own_root(self.project, path), path.endswith(".py"))
        if package not in self._crowds:
            self._crowds[package] = self.abandoned.has_company(path, _CROWD)
        return self._crowds[package]

    # -- who may come to what a module gives --------------------------------------------------------------------------

    def is_seen(self, path: str) -> bool:
        """Whether everyone who may load the module at ``path`` is seen to import it."""
        return not (self.abandoned.is_library(path) or self._is_gathered(path) or self._is_told(path)
                    or self._is_misunderstood(path))

    def readers(self, path: str) -> list[str]:
        """The files, no tests and no errands that somebody runs by hand, that import ``path``."""
        errands = ByHand.of(self.project, self.stages)
        return [other for other in self.index.of(path)
                if self.stages.of_path(other) != "test" and not errands.is_errand(other)]

    def is_asked_for(self, path: str, name: str) -> bool:
        """Whether a file imports a ``name`` from somewhere that is not understood, which may be the module at
        ``path``."""
        asked = re.compile(rb"\{[^{}]*\b%s\b[^{}]*\}\s*(?:from\s*|=\s*(?:await\s+)?(?:require|import)\(\s*)"
                           rb"['\"]([^'\"\n]+)" % re.escape(name.encode()))
        for other in () if path.endswith(".py") else self.index.mentions(name, path):
            for specifier in asked.findall(self.index.data(other)):
                module = specifier.decode("utf-8", "replace")
                if self.index.resolved(other, module) is None and not self._is_foreign(other, module):
                    return True
        return False

    def _is_gathered(self, path: str) -> bool:
        """Whether a file loads others that it does not name from the folder of ``path``."""
        folder = path.rpartition("/")[0]
        named = re.compile(rb"['\"`/]%s['\"`/]" % re.escape(folder.rpartition("/")[2].encode()))
        return any(other != path and other.endswith(".py") == path.endswith(".py") and (
            other.rpartition("/")[0] == folder or named.search(self.index.data(other))) for other in self._loaders)

    @cached_property
    def _loaders(self) -> list[str]:
        return [path for path in self.index.paths if self.stages.of_path(path) != "test"
                and (_LOADS_PYTHON if path.endswith(".py") else _LOADS_JAVASCRIPT).search(self.index.data(path))]

    def _is_told(self, path: str) -> bool:
        """Whether some file names a module of Python as those do that load it by its name."""
        if not path.endswith(".py"):
            return False
        stem = path.rpartition("/")[2].removesuffix(".py")
        name = re.escape(stem.encode())
        quoted = re.compile(rb"['\"](?:\w+\.)*%s(?:[.:][\w.]+)?['\"]" % name)
        told = re.compile(rb"\b%s(?:\.py\b|:\w)|\.%s\b" % (name, name))
        return any(quoted.search(self.index.data(other)) for other in self.index.mentions(stem, path)) or any(
            told.search(self.index.data(other)) for other in self._telling)

    @cached_property
    def _telling(self) -> list[str]:
        return [path for path in sorted(self.project.tree.paths) if _LOADED_BY_NAME.search(path)]

    def _is_misunderstood(self, path: str) -> bool:
        """Whether an import that leads nowhere may mean ``path``."""
        folder, _, name = path.rpartition("/")
        stem = name.partition(".")[0]
        if stem in ("index", "__init__"):
            stem = folder.rpartition("/")[2]
        if not stem:
            return True
        for other in self.index.mentions(stem, path):
            for _, module, _ in self.index.imports(other):
                if _may_mean(module, path, stem) and self.index.resolved(other, module) is None:
                    if not self._is_foreign(other, module):
                        return True
        return False

    def _is_foreign(self, path: str, module: str) -> bool:
        if path.endswith(".py"):
            return not module.startswith(".") and module.partition(".")[0] not in self.index.stems
        return self.project.linkers["javascript"].resolve(path, module) == INSTALLED


class _Trail:
    """The way of one value."""

    def __init__(self, disuse: Disuse) -> None:
        self.disuse = disuse
        self.project = disuse.project
        self.seen: set[tuple[Any, ...]] = set()

    def may_be_read(self, module: Module, node: Any) -> bool:
        """Whether something may come to the value of ``node``, as far as that cannot be excluded."""
        if type(node) is p.Name:
            above = module.parent(node)
            bound = type(above) in (p.Let, p.Assign, p.Loop, p.WithItem, p.Param) and above.target is node
            return self._named(module, node, ()) or (not bound and self._goes(module, node, ()))
        if type(node) is p.Function:
            return self._goes(module, node, (_CALLED,))
        return type(node) is p.Class or self._goes(module, node, ())

    def _is_new(self, *what: Any) -> bool:
        """Whether ``what`` has not been followed yet."""
        if what in self.seen:
            return False
        self.seen.add(what)
        return True

    def _goes(self, module: Module, node: Any, keys: Keys) -> bool:
        """Whether what stands under ``keys`` of the value of ``node`` may be read."""
        if not self._is_new(module.path, node.at, keys):
            return False
        if len(self.seen) > _STEPS:
            return True
        above = module.parent(node)
        kind = type(above)
        if kind is p.Member and above.of is node:
            return self._part(module, above, above.name, keys)
        if kind is p.Index and above.of is node and type(above.key) is p.Text:
            return self._part(module, above, above.key.value, keys)
        if kind is p.Call and above.callee is node and keys[:1] == (_CALLED,):
            return self._goes(module, above, keys[1:])
        if kind is p.Entry and above.value is node:
            if above.key is not None and type(above.key) is not p.Text:
                return True
            own = () if above.key is None else (above.key.value,)
            return self._goes(module, module.parent(above), (*own, *keys))
        if kind is p.Await or (kind is p.Logical and above.op != "and") or (
                kind is p.Conditional and above.test is not node):
            return self._goes(module, above, keys)
        if kind in (p.Let, p.Assign) and above.value is node:
            thrown = kind is p.Let or type(module.parent(above)) is p.Evaluate
            return not thrown or self._bound(module, above.target, keys)
        if kind in (p.Let, p.Assign) and above.target is node:
            return kind is p.Assign and above.op != ""
        if kind is p.Define:
            return type(node) is not p.Function or bool(node.decorators) or self._defined(module, above, keys)
        if kind is p.Return:
            function = module.function(above)
            if function is None or function.is_async or function.is_generator or function.decorators:
                return True
            return self._goes(module, function, (_CALLED, *keys))
        if kind is p.Export and above.value is node:
            return self._given(module.path, above.names[0].name if above.names else "default", keys, first=True)
        return not (kind is p.Evaluate and type(node) in (p.Name, p.Member, p.Index))

    def _part(self, module: Module, part: Any, name: str, keys: Keys) -> bool:
        called = type(call := module.parent(part)) is p.Call and call.callee is part
        if keys and keys[0] == name:
            return self._goes(module, part, keys[1:])
        if not keys:
            # ``text.replace(a, b)`` is another text
            return not called or self._goes(module, call, ())
        return called or keys[0] == _CALLED

    def _bound(self, module: Module, target: Any, keys: Keys) -> bool:
        kind = type(target)
        if kind is p.Default:
            return self._bound(module, target.target, keys)
        if kind is p.Name:
            return self._named(module, target, keys)
        if kind is p.Record:
            return not keys or any(self._taken(module, entry, keys) for entry in target.entries)
        if kind is p.Member:
            whole = module.qualified(target)
            if whole == "module.exports":
                return self._given(module.path, "=", keys, first=True)
            if whole in (f"exports.{target.name}", f"module.exports.{target.name}"):
                return self._given(module.path, target.name, keys, first=True)
        return self._put(module, target, keys)

    def _put(self, module: Module, target: Any, keys: Keys) -> bool:
        """``config["api"] = url``: whether it may be read there, where ``config`` is made in the same function."""
        key = target.name if type(target) is p.Member else getattr(getattr(target, "key", None), "value", None)
        of = getattr(target, "of", None)
        if type(of) is not p.Name or not isinstance(key, str):
            return True
        only = [d for d in module.lookup(of.id, of) if d.kind != "changed"]
        made = len(only) == 1 and only[0].kind == "value" and type(only[0].value) is p.Record
        return not made or self._known_as(module, of.id, of, (key, *keys))

    def _taken(self, module: Module, entry: p.Entry, keys: Keys) -> bool:
        """Whether an entry of a pattern may take what stands under ``keys``."""
        if type(entry.key) is p.Text:
            return entry.key.value == keys[0] and self._bound(module, entry.value, keys[1:])
        value = entry.value.value if type(entry.value) is p.Spread else entry.value
        return entry.key is not None or self._bound(module, value, keys)

    def _named(self, module: Module, name: p.Name, keys: Keys) -> bool:
        """Whether what the name ``name`` holds, where it is bound, may be read."""
        return self._known_as(module, name.id, name, keys)

    def _defined(self, module: Module, statement: p.Define, keys: Keys) -> bool:
        return self._known_as(module, statement.name, statement, keys)

    def _known_as(self, module: Module, name: str, at: Any, keys: Keys) -> bool:
        scope = module.scope_of(at)
        if scope.kind == "class" or not self._is_new(module.path, name, scope.node.at, keys):
            return scope.kind == "class"
        for reader in references(module, name, at):
            above = module.parent(reader)
            if type(above) in (p.Let, p.Assign) and above.target is reader and getattr(above, "op", "") == "":
                continue
            if self._goes(module, reader, keys):
                return True
        return module.lookup(name, at) is module.scope.names.get(name) and self._is_given_by_name(module, name, keys)

    def _is_given_by_name(self, module: Module, name: str, keys: Keys) -> bool:
        """Whether others may read what the name ``name`` of the module's top level holds."""
        if module.program.language == "python":
            return self._given(module.path, name, keys, first=any(
                d.kind != "import" for d in module.scope.names.get(name, ())))
        if module.program.module_kind not in ("esm", "commonjs"):
            return True  # scripts of a page see each other's names
        return any(self._given(module.path, exported.name, keys, first=True) for export in module.nodes(p.Export)
                   if export.source is None for exported in export.names
                   if export.value is None and exported.local == name)

    # -- elsewhere ----------------------------------------------------------------------------------------------------

    def _given(self, path: str, name: str, keys: Keys, *, first: bool = False) -> bool:
        """Whether a file that imports ``path`` may read what stands under ``keys`` of its export ``name``; "=" is what
        a module gives as a whole. The ``first`` module must be imported by somebody who is seen."""
        if not self._is_new(path, name, keys):
            return False
        readers = self.disuse.readers(path)
        if first and (not readers or not self.disuse.is_seen(path)):
            return True
        if name not in ("default", "=") and self.disuse.is_asked_for(path, name):
            return True
        word = next((key for key in (name, *keys) if key not in ("default", "=", _CALLED)), "").encode()
        readers.sort(key=lambda other: word not in self.disuse.index.data(other))
        return len(readers) > _MOST or any(self._asks(other, path, name, keys, word) for other in readers)

    def _asks(self, other: str, path: str, name: str, keys: Keys, word: bytes) -> bool:
        data = self.disuse.index.data(other)
        if word and word not in data:
            if other.endswith(_WITH_TEMPLATES):
                return False
            # who does not write the word has the value only with all that the module gives
            if name not in ("default", "=") and not other.endswith(".py") and b"* as" not in data and (
                    b"require(" not in data and b"import(" not in data and b"export *" not in data):
                return False
        if other.endswith(_WITH_TEMPLATES):
            return True
        module = self.project.module(other)
        if module is None:
            return True
        found = [self._imported(module, path, name, keys), self._passed_on(module, path, name, keys),
                 self._required(module, path, name, keys)]
        return any(found) or all(one is None for one in found)

    def _imported(self, module: Module, path: str, name: str, keys: Keys) -> bool | None:
        """Whether the import statements of ``module`` bring what is asked for; None where none means ``path``."""
        known = False
        for statement in module.nodes(p.Import):
            here = self._means(module, statement.module, path)
            for imported in statement.names:
                below = not here and module.program.language == "python" and imported.name != "*" and self._means(
                    module, f"{statement.module}{'' if statement.module.endswith('.') else '.'}{imported.name}", path)
                if not here and not below:
                    continue
                known = True
                if imported.star:
                    return True
                if imported.local is None or imported.type_only or statement.type_only:
                    continue
                way = self._way(statement, imported, name, keys, whole=below)
                if way is not None and self._known_as(module, imported.local, statement, way):
                    return True
            known = known or (here and not statement.names)
        return False if known else None

    def _way(self, statement: p.Import, imported: p.ImportedName, name: str, keys: Keys, *, whole: bool) -> Keys | None:
        """The keys of what an imported name is that lead to what is asked for; None where none do."""
        given = keys if name == "=" else (name, *keys)
        if whole or imported.name == "*":
            return (*statement.module.split(".")[1:], *given) if statement.top_only else given
        if imported.name == "default":
            # of CommonJS, the default is all that a module gives
            return keys if name == "default" else given
        return given[1:] if given and given[0] == imported.name else None

    def _passed_on(self, module: Module, path: str, name: str, keys: Keys) -> bool | None:
        known = False
        for export in module.nodes(p.Export):
            if export.source is None or not self._means(module, export.source, path):
                continue
            known = True
            for exported in export.names:
                if exported.local == "*":
                    new = name if exported.name == "*" else exported.name
                    more = keys if exported.name == "*" else (name, *keys)
                    if (exported.name != "*" or name != "default") and self._given(module.path, new, more, first=True):
                        return True
                elif exported.local == name and self._given(module.path, exported.name, keys, first=True):
                    return True
        return False if known else None

    def _required(self, module: Module, path: str, name: str, keys: Keys) -> bool | None:
        known = False
        for call in self._loads(module):
            specifier = required(call)
            if specifier is not None and self._means(module, specifier, path):
                known = True
                if self._goes(module, call, keys if name == "=" else (name, *keys)):
                    return True
        return False if known else None

    def _loads(self, module: Module) -> Iterator[p.Call]:
        for call in module.nodes(p.Call):
            if type(call.callee) is p.Name and call.callee.id in ("require", "import"):
                yield call

    def _means(self, module: Module, specifier: str, path: str) -> bool:
        answer = self.project.resolve(module, specifier)
        return type(answer) is Found and answer.path == path


def _may_mean(module: str, path: str, stem: str) -> bool:
    """Whether an import as it is written ends as the way to ``path`` does, what an alias may stand for left out."""
    if path.endswith(".py"):
        return module.rpartition(".")[2] == stem
    parts = [part for part in module.split("/") if part not in ("", ".", "..")]
    if not parts or parts[-1].partition(".")[0] != stem:
        return False
    here = path.split("/")
    if here[-1].partition(".")[0] != stem:
        here.pop()  # ``config/index.ts`` is imported as ``config``
    tail = parts if module.startswith(".") else parts[2 if module.startswith("@") and len(parts) > 1 else 1 :]
    return tail[:-1] == here[len(here) - len(tail) : -1] if tail else True
