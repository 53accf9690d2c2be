"""What a start names: the module, the attribute, and what kind of application that is.

Which constructors make which kind of application stands in the table `application`.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.grounds import Ground
from connlint.project.module import Definition, Module
from connlint.project.project import Project
from connlint.project.start import Start, Target

_TEST = regex(
    r"(?:^|/)(?:tests?|testing|examples?|docs?|docs_src|fixtures)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$"
)
_BUILDS = ("pyproject.toml", "setup.py", "setup.cfg")
_INSTALLS = regex(r"(?:\S*/)?(?:python[\d.]* -m )?(?:"
                  r"(?:uv )?(?:pip[\d.]*|pipx|tool) (?:install|wheel) (?:\S+ )*?"
                  r"\.{1,2}/?(?:[\w-]+/?)*(?:\[[\w,-]+\])?(?= |$)|"
                  r"uv sync\b(?!.*--no-install-(?:project|workspace))|poetry install\b(?!.*--no-root)|"
                  r"pdm (?:install|sync)\b(?!.*--no-self)|python[\d.]* (?:\./)?setup\.py (?:install|develop)\b)")
"""How an image installs the project that it is built from."""
_DEEPEST = 4
"""Factories that are followed into each other."""
_LIMIT = 60
"""Files that are read in search of an application to name."""


class Applications:
    """Answers about the Python targets of one project."""

    def __init__(self, project: Project, apis: Mapping[str, list[dict[str, Any]]]) -> None:
        self.project = project
        self.linker: Any = project.linkers["python"]
        self.protocols: dict[str, str] = {}
        for row in apis.get("application", ()):
            for name in row["names"]:
                self.protocols[name] = row["protocol"]
        self.workers = {name: row["protocol"] for row in apis.get("worker_class", ()) for name in row["names"]}
        self.own_names = {name for row in apis.get("own_name", ()) for name in row["names"]}

    @classmethod
    def of(cls, project: Project, apis: Mapping[str, list[dict[str, Any]]]) -> Applications:
        """The one `Applications` of a project."""
        return project.single(cls, project, apis)

    @cached_property
    def files(self) -> list[str]:
        """Every Python file, in order."""
        return sorted(path for path in self.project.tree.paths if path.endswith(".py"))

    # -- modules --------------------------------------------------------------------------------------------------

    def module(self, start: Start, ground: Ground, module: str) -> Answer:
        """The file of the dotted ``module`` where ``start`` runs. `Missing` where nothing else could provide it."""
        prefixes = start.search
        if prefixes is None:
            return Unknown("a search path that is not known")
        doubt: str | None = None
        tried: list[str] = []
        for prefix in prefixes:
            stem = posixpath.join(prefix, module.replace(".", "/"))
            for path in (f"{stem}.py", f"{stem}/__init__.py", stem):
                answer = ground.find(path)
                if isinstance(answer, Found):
                    return answer if not answer.path.endswith("/") else Unknown("a namespace package")
                if isinstance(answer, Unknown):
                    doubt = doubt or answer.why
                elif path.endswith(f"{stem}.py"):
                    tried += answer.tried
        if (stand := self._installed(start, module)) is not None:
            return self._installed_at(stand, module)
        if doubt is not None:
            return Unknown(doubt)
        file = module.replace(".", "/") + ".py"
        for path in tried:
            if path.endswith(file) and (why := self.linker.may_appear(path[: -len(file)].rstrip("/"), module)):
                return Unknown(why)
        return self._absent(start, ground, prefixes, module, tuple(tried))

    def _absent(self, start: Start, ground: Ground, prefixes: tuple[str, ...], module: str,
                tried: tuple[str, ...]) -> Answer:
        """Whether a module that is not there could still be installed."""
        top, dot, _ = module.partition(".")
        installed = self.linker.roots.installed
        file = module.replace(".", "/")
        if start.loose and any(p.endswith((f"/{file}.py", f"/{file}/__init__.py")) for p in self.files):
            return Unknown("the folder of the script")
        for prefix in prefixes:
            if dot and isinstance(ground.find(posixpath.join(prefix, f"{top}.py")), Found):
                return Missing(f"'{top}' is a file and no package", tried, module.rpartition(".")[2])
            if dot and isinstance(ground.find(posixpath.join(prefix, top)), Found):
                regular = isinstance(ground.find(posixpath.join(prefix, top, "__init__.py")), Found)
                if not regular and (top in installed or top in sys.stdlib_module_names):
                    return Unknown("may be installed")
                return Missing("no such module", tried)
        if top in installed or top in sys.stdlib_module_names:
            return Unknown("may be installed")
        stands = self.linker.tops.get(top)
        if not stands:
            return Missing("no such module", tried) if top in self.own_names else Unknown("may be installed")
        if any(self._is_installable(stand.root) for stand in stands):
            # from wherever it is installed, it is what stands there: if not even that holds it, nothing does
            return self._installed_at(stands[0].root, module) if len(stands) == 1 and stands[0].regular else (
                Unknown("installed from the project"))
        return Missing("no such module here", tried)

    def _installed(self, start: Start, module: str) -> str | None:
        """The root of the project's own distribution that holds the package of ``module``, where the image installs it
        and nothing else can provide it."""
        top = module.partition(".")[0]
        stands = self.linker.tops.get(top, ())
        image = start.running.image if start.running is not None else None
        if image is None or len(stands) != 1 or top in self.linker.roots.installed or not stands[0].regular:
            return None
        runs = (" ".join(word.value or word.written for word in run.words) for s in image.stages for run in s.runs)
        root: str = stands[0].root
        return root if self._is_installable(root) and any(map(_INSTALLS.match, runs)) else None

    def _installed_at(self, root: str, module: str) -> Answer:
        """The file of ``module`` below the root of a distribution of the project's that is installed."""
        found = self.linker.files.walk(root, module)
        if found is not None:
            return Unknown("a namespace package") if found.endswith("/") else Found(found)
        why = self.linker.may_appear(root, module)
        stem = posixpath.join(root, module.replace(".", "/"))
        return Unknown(why) if why else Missing("no such module", (f"{stem}.py", f"{stem}/__init__.py"))

    def _is_installable(self, root: str) -> bool:
        """Whether what stands below ``root`` may be installed as a package of its own."""
        if root in self.linker.roots.declared and root not in self.linker.roots.started:
            return True
        folders = (root, posixpath.dirname(root)) if posixpath.basename(root) in ("src", "lib", "python") else (root,)
        return any(posixpath.join(folder, name) in self.project.tree.paths for folder in folders for name in _BUILDS)

    def attribute(self, path: str, name: str) -> Answer:
        """Whether the module file ``path`` binds ``name``."""
        return self.linker.binds(path, name)

    # -- kinds ----------------------------------------------------------------------------------------------------

    def definition(self, path: str, name: str) -> tuple[Module, Definition] | None:
        """The only definition of ``name`` in the module file ``path``, followed through imports; None in doubt."""
        module = self.project.module(path)
        found = self.project.exported(module, name) if module is not None else None
        if found is None or len(found[1]) != 1 or found[1][0].path:
            return None
        return found[0], found[1][0]

    def constructor(self, path: str, target: Target, name: str) -> tuple[str, str] | None:
        """The qualified constructor of what ``target`` means, and its protocol; None where that is not plain."""
        found = self.definition(path, name)
        if found is None or target.deeper:
            return None
        module, definition = found
        if definition.kind == "function" and type(definition.value) is p.Function:
            return self._returned(module, definition.value)
        return None if target.call or definition.kind != "value" else self._made(module, definition.value)

    def own_class(self, module: Module, value: Any) -> str | None:
        """The name of the class of which ``value`` makes an object, where that is one of the project's own which nobody
        can call."""
        if type(value) is not p.Call or type(value.callee) is not p.Name:
            return None
        _, bound = self.project.definitions(module, value.callee)
        made = bound[0].value if len(bound) == 1 and bound[0].kind == "class" and not bound[0].path else None
        if type(made) is not p.Class or made.bases:
            return None
        return None if "__call__" in _members(made) else made.name

    def is_plain(self, made: Any, wants: str) -> bool:
        """Whether a class of the project is surely no application for a server that speaks ``wants``: it may give
        the constructor what it gives an application, and take an object that can be gone through as the answer."""
        if type(made) is not p.Class or made.bases or made.decorators:
            return False
        members = _members(made)
        if wants == "wsgi" and "__init__" in members:
            # the server's two words do not fit into the constructor
            built = [s.value for s in made.body if type(s) is p.Define and s.value.name == "__init__"]
            fits = len(built) != 1 or type(built[0]) is not p.Function or _takes(built[0], 3)
            return not fits and members.isdisjoint(("__new__", "__init_subclass__"))
        return {"__init__", "__new__", "__call__", "__iter__", "__await__"}.isdisjoint(members)

    def _made(self, module: Module, value: Any, depth: int = 0) -> tuple[str, str] | None:
        """What a call makes: an application by its constructor, or what the project's own factory returns."""
        if type(value) is not p.Call:
            return None
        name = module.qualified(value.callee)
        if name in self.protocols:
            return name, self.protocols[name]
        if type(value.callee) is not p.Name or depth > _DEEPEST:
            return None
        bound = self.project.definitions(module, value.callee)
        if len(bound[1]) != 1 or bound[1][0].path:
            return None
        function = bound[1][0].value
        return self._returned(bound[0], function, depth + 1) if type(function) is p.Function else None

    def _returned(self, module: Module, function: p.Function, depth: int = 0) -> tuple[str, str] | None:
        """What a factory returns, where all its returns agree."""
        found = set()
        if function.decorators or function.is_async:
            return None
        for returned in module.nodes(p.Return):
            if module.function(returned) is not function:
                continue
            value = returned.value
            if type(value) is p.Name:
                definitions = module.lookup(value.id, value)
                if len(definitions) != 1 or definitions[0].kind != "value" or definitions[0].path:
                    return None
                value = definitions[0].value
            found.add(self._made(module, value, depth))
        return found.pop() if len(found) == 1 else None

    # -- what was meant -------------------------------------------------------------------------------------------

    @cached_property
    def _words(self) -> re.Pattern[bytes]:
        last = sorted({name.rpartition(".")[2] for name in self.protocols})
        return re.compile(rb"\b(?:" + b"|".join(re.escape(word.encode()) for word in last) + rb")\s*\(")

    @cached_property
    def made(self) -> list[tuple[str, str]]:
        """File and name of every application that the project makes at the top level of a module, tests left out."""
        found: list[tuple[str, str]] = []
        read = 0
        for path in sorted(self.files, key=lambda f: (f.count("/"), f)):
            if _TEST.search(path) or not self._words.search(self.project.tree.read(path) or b""):
                continue
            read += 1
            module = self.project.module(path) if read <= _LIMIT else None
            if module is None:
                continue
            for name, definitions in module.scope.names.items():
                if any(d.kind == "value" and not d.path and self._made(module, d.value) for d in definitions):
                    found.append((path, name))
        return found

    def nearest(self, target: Target, folder: str) -> tuple[str, str] | None:
        """The application that was probably meant by ``target``, run in the project's ``folder``: file and name."""
        parts = set(target.module.replace("/", ".").removesuffix(".py").split("."))
        best: tuple[tuple[int, int, int], tuple[str, str]] | None = None
        for path, name in self.made:
            stem = path.removesuffix(".py").removesuffix("/__init__")
            alike = len(parts & set(stem.split("/")))
            below = folder == "" or path.startswith(folder.rstrip("/") + "/")
            score = (int(below), alike, int(name == target.attribute))
            if best is None or score > best[0]:
                best = (score, (path, name))
        return None if best is None or (not any(best[0][1:]) and len(self.made) > 1) else best[1]


def _takes(function: p.Function, count: int) -> bool:
    """Whether a function can be called with ``count`` positional arguments, as far as that is not surely wrong."""
    if function.decorators or any(param.kind == "rest" for param in function.params):
        return True
    places = [param for param in function.params if param.kind in ("positional", "either")]
    return sum(param.default is None for param in places) <= count <= len(places)


def _members(made: p.Class) -> set[str]:
    """The names that the body of a class binds."""
    defined = {s.value.name for s in made.body if type(s) is p.Define}
    bound = {s.target.id for s in made.body if type(s) is p.Let and type(s.target) is p.Name}
    return {name for name in defined | bound if name}
