"""What a deployment tells the code that it runs: which code that is, and whether all that reaches it is seen."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from connlint.checks.demands import demanded
from connlint.checks.queued import of_workers, only_serves
from connlint.model import program as p
from connlint.model.finding import Place, Step
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.address import Host, hosts
from connlint.project.deployments import groups
from connlint.project.importers import importers
from connlint.project.mentions import made_of
from connlint.project.module import Module
from connlint.project.named_modules import NEEDED, loaded, named_by
from connlint.project.packages import package_root
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.stage import Stages, stages_of
from connlint.project.starts import Starts
from connlint.project.targets import targets_of
from connlint.project.tree import above
from connlint.project.values import values_of

CONTAINERS = ("compose", "kubernetes", "cloud-run", "container-apps", "docker-run", "ecs")
_CLOSED = (*CONTAINERS, "app-engine", "procfile", "serverless")
_PUT_AWAY = regex(r"(?:^|/)[._]?(?:archived?|attic|backups?|deprecated|legacy|obsolete|old|outdated|unused)"
                  r"(?:[-_.]\w+)*/")
"""Folders of files that nobody deploys any more."""
_WITH_SECRETS = ("fly", "render")
"""Platforms whose file holds all but secrets, which are kept elsewhere."""
_DEVELOPMENT = regex(r"(?:^|[/._-])(?:dev|devel|development|devcontainer|local|override|tests?|testing|ci|e2e|"
                     r"debug|examples?|worktree)(?:[/._-]|$)")
_BESIDE = ("fly",)
"""Those of them whose file does not even name what is set beside it."""
_OF_BROWSERS = ("http", "https", "ws", "wss")
CODE = (".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")
"""Endings of files that a service may run."""
_PAGES = (".tsx", ".jsx", ".vue", ".svelte")
"""Endings of files that become part of what a service shows: what it needs to start is not in them."""
_NOT_OWN = regex(r"(?:^|/)(?:node_modules|vendor|vendored|third_party|site-packages|dist|\.[\w-]+)/|"
                 r"(?:^|/)(?:static|public|assets|build)/.*\.[cm]?js$|[.-](?:min|bundle|packed)\b[\w.]*\.[cm]?js$")
_LONGEST_LINES = 300
"""Bytes of a line on average, past which a program wrote the file."""
_TOOLS_OF_OTHERS = {
    "python": regex(rb"\b(?:npm|yarn|pnpm|bun|npx|node)\b"),
    "javascript": regex(rb"\b(?:python3?|pip3?|uv)\b"),
}
"""What a recipe of services in one language calls where it makes or starts something in another."""
_MOST = 400
"""Modules that are followed from the one that a service starts."""


def on_a_developers_machine(path: str) -> bool:
    """Whether a deployment file is, by its name, for a developer's machine or for tests: localhost may be meant."""
    return _DEVELOPMENT.search(path) is not None


def closed(one: Running) -> bool:
    """Whether a service is deployed with variables, all of which are seen, by a file that is not for development."""
    service = one.service
    if one.open or not one.environment or service.environment_at is None or service.kind not in _CLOSED:
        return False
    return is_in_use(one)


def is_in_use(one: Running) -> bool:
    """Whether ``one`` is deployed by a file that, by its name, is neither put away nor for development or tests."""
    if on_a_developers_machine(one.deployment.path) or _PUT_AWAY.search(one.deployment.path):
        return False
    profiles = one.service.profiles
    return not profiles or not all(_DEVELOPMENT.search(profile) for profile in profiles)


def tells(one: Running, host: Host) -> bool:
    """Whether the deployment would say where ``host`` is: it tells all, or all that is no secret, as the address of a
    web service is none."""
    if closed(one):
        return True
    service = one.service
    if service.kind not in _WITH_SECRETS or not service.environment or service.environment_at is None:
        return False
    plain = host.scheme in (*_OF_BROWSERS, "grpc")
    if not plain or any("group" in why or "static" in why for why in one.open):
        return False
    # a file that holds no address at all may leave all of them to what is set beside it; a blueprint lists them
    told = (known.value or "" for known in one.environment.values())
    return service.kind not in _BESIDE or any(host.scheme for text in told for host in hosts(text))


def for_development(one: Running, stages: Stages) -> bool:
    """Whether a service is put together for developers: by the stage of its image, or by what it is told it is."""
    if _DEVELOPMENT.search(one.service.target or ""):
        return True
    # a default of the file is what a developer gets; who deploys it says otherwise
    told = [known.value for name, known in one.environment.items()
            if name in stages.variables and "${" not in known.written]
    return any((value or "").lower() in stages.development for value in told)


# -- which code --------------------------------------------------------------------------------------------------------


class Code:
    """Which files of the project each service runs; made once per project."""

    def __init__(self, project: Project, rules: Rules) -> None:
        self.project = project
        self.rules = rules
        self.running = Services.of(project).running()
        self._of: dict[int, list[str]] = {}
        self._folders: dict[int, str | None] = {}
        self._languages: dict[int, str | None] = {}
        self._built: dict[str, list[Running]] = {}
        """The services by the folder that they are built from."""
        self._built_below: dict[str, list[Running]] = {}
        """The services by every folder above that."""
        for one in self.running:
            if one.service.build is not None:
                folder = _plain(one.service.build)
                self._built.setdefault(folder, []).append(one)
                for outer in above(folder):
                    if outer != folder:
                        self._built_below.setdefault(outer, []).append(one)

    @classmethod
    def of(cls, project: Project, rules: Rules) -> Code:
        """The one `Code` of a project."""
        return project.single(cls, project, rules)

    def files(self, one: Running) -> list[str]:
        """The code that ``one`` runs: all of its folder, where no other service is built from it, else what the module
        that it starts imports. Empty where neither is clear."""
        key = id(one)
        if key not in self._of:
            folder = self._folder(one)
            found = self.below(folder) if folder is not None else self._imported(one)
            self._of[key] = [path for path in found if self.speaks(one, path)]
        return self._of[key]

    def uses(self, one: Running, field: str) -> bool:
        """Whether any code of ``one`` asks for the attribute ``field``: settings are often more than is needed."""
        return any(_asks(field).search(self.project.tree.read(path) or b"") for path in self.files(one))

    def _needs_attribute(self, one: Running, module: Module, owner: p.Class, name: str, seen: frozenset[str]) -> bool:
        """Whether code of ``one`` asks for an attribute of the class ``owner``, or for another that the class makes of
        it: ``self.url = f"{self.host}:5432"``."""
        if name in seen:
            return False
        asked = _asks(name)
        if any(path != module.path and asked.search(self.project.tree.read(path) or b"") for path in self.files(one)):
            return True
        inside = [m for m in module.nodes(p.Member) if m.name == name and owner.at[0] <= m.at[0] < owner.at[1]]
        if len(inside) != sum(1 for _ in asked.finditer(module.source.data)):
            return True
        made, seen = {made_of(module, member) for member in inside}, seen | {name}
        return None in made or any(self._needs_attribute(one, module, owner, other, seen) for other in made if other)

    def needs(self, one: Running, module: Module, node: Any) -> bool:
        """Whether code of ``one`` uses the value of ``node``: not where that is a constant of the module which only the
        code of others asks for, as happens in settings that several services import, nor where it is an attribute of a
        class for which nobody asks.
        """
        attribute = _attribute(module, node)
        if attribute is not None and not self._needs_attribute(one, module, *attribute, frozenset()):
            return False
        if module.program.language != "python":
            return True
        importing = importers(self.project).of(module.path)
        if (names := _constants(module, node)) is None:
            names = of_workers(module, node, self.rules)
            if names is None or not only_serves(one, Starts.of(self.project, self.rules.apis)):
                return True
            return bool(names) and any(_names(names).search(self.project.tree.read(path) or b"") for path in importing)
        asked = _names(names)
        own = set(self.files(one))
        if not importing and self._folder(one) is None and not self._is_started(one, module.path):
            # settings that are loaded by their name, in one of several programs
            reading = (self.project.tree.read(path) or b"" for path in own - {module.path})
            return any(NEEDED.match(name) for name in names) or any(map(asked.search, reading))
        using = [path for path in importing if asked.search(self.project.tree.read(path) or b"")]
        if importing and not using:
            # who gets at it in a way that is not seen has to name it
            return any(asked.search(self.project.tree.read(path) or b"") for path in own - {module.path})
        return not using or any(path in own for path in using)

    def _is_started(self, one: Running, path: str) -> bool:
        """Whether ``one`` starts the file at ``path`` itself."""
        starts = Starts.of(self.project, self.rules.apis).of_service(one)
        return any(path in targets_of(start) for start in starts)

    def runs(self, one: Running, path: str) -> bool:
        """Whether the code at ``path`` is among the `files` of ``one``."""
        if (folder := self._folder(one)) is not None:
            below = _is_below(path, folder, (*CODE, *_PAGES))
            return below and self.speaks(one, path) and self._by_hand(path) and self._is_copied(one, folder, path)
        return path in self.files(one)

    def may_run(self, one: Running, path: str) -> bool:
        """Whether ``one`` is built from a folder around ``path``, and what it runs of it is not known."""
        if one.service.build is None or self._folder(one) is not None or self.files(one):
            return False
        return _is_below(path, _plain(one.service.build), (*CODE, *_PAGES)) and self.speaks(one, path)

    def gives(self, one: Running, variable: str) -> bool:
        """Whether ``one`` is given the variable, be it by a file that is laid over its own where it is deployed, or
        that its own is laid over, or by the supervisor that it starts."""
        rows = (one, *self._variants_of(one))
        if any(variant.gives(variable) for variant in rows):
            return True
        return variable in Starts.of(self.project, self.rules.apis).supervised(one)

    def is_laid_over(self, one: Running) -> bool:
        """Whether the file of ``one`` adds to what another says of the same service."""
        return any(variant.deployment.path != one.deployment.path for variant in self._variants_of(one))

    def told(self, one: Running, variable: str) -> str | bool:
        """What ``one`` is given for the variable: True where that is not known, False where it is not given."""
        rows = (one, *self._variants_of(one))
        texts = {variant.environment[variable].value for variant in rows if variable in variant.environment}
        only = texts.pop() if len(texts) == 1 else None
        return only if only is not None else self.gives(one, variable)

    def publishes(self, one: Running, host: Host) -> bool:
        """Whether something that is deployed with ``one`` is published on its machine at the port of ``host``."""
        return any(port.host == host.port for other in self.running if other.deployment.path == one.deployment.path
                   for port in other.service.ports if port.host is not None)

    def deployed_as(self, one: Running) -> list[Running]:
        """What comes of ``one`` with each file that is laid over its own where it is deployed; ``one`` itself where
        nothing is, but for developers."""
        rows = self._variants.get((one.deployment.path, one.name), {})
        return [variant for path, variant in rows.items() if not on_a_developers_machine(path)] or [one]

    def _variants_of(self, one: Running) -> Iterable[Running]:
        return self._variants.get((one.deployment.path, one.name), {}).values()

    @cached_property
    def _variants(self) -> dict[tuple[str, str], dict[str, Running]]:
        """What comes of each service with the files that are laid over its own, or that its own is laid over, by the
        path of the last."""
        found: dict[tuple[str, str], dict[str, Running]] = {}
        for group in groups(Services.of(self.project)):
            for one in group.members if len(group.files) > 1 else ():
                for file in group.files:
                    found.setdefault((file, one.name), {})[group.files[-1]] = one
        return found

    def is_apart(self, one: Running, path: str) -> bool:
        """Whether the file at ``path`` is a program of its own beside what ``one`` starts: nobody imports it, nothing
        that ``one`` runs names it, and it does its work by itself."""
        tree = self.project.tree
        if importers(self.project).of(path):
            return False
        rows = list(Starts.of(self.project, self.rules.apis).ran(one))
        stem = path.rpartition("/")[2].partition(".")[0]
        if any(stem in (word.value or "") for row in rows for word in row.command.words):
            return False
        signed = (tree.read(path) or b"").startswith(b"#!")
        last = rows[-1].start if rows else None
        if last is None or last.entry["form"] == "script":
            # what goes on running is not known
            root = package_root(self.project, path)
            scripts = tree.read(f"{root}/package.json" if root else "package.json") or b""
            return signed and stem.encode() not in scripts
        started = {target for row in rows if row.start is not None for target in targets_of(row.start)}
        if signed or not started or path in started:
            return signed and path not in started
        module = self.project.module(path)
        stages = stages_of(self.project, self.rules.apis, values_of(self.project, self.rules.apis))
        return module is not None and programs_of(self.project, stages).is_entry(module)

    def speaks(self, one: Running, path: str) -> bool:
        """Whether ``one`` may run a file in the language of ``path``: no front end beside what starts in Python, where
        nothing that is deployed builds or starts something else, and no Python beside Node."""
        if id(one) not in self._languages:
            self._languages[id(one)] = self._language(one)
        language = self._languages[id(one)]
        return language is None or (language == "python") == path.endswith(".py")

    def _language(self, one: Running) -> str | None:
        """The language of all that ``one`` starts; None where that is not known, or where something in another may be
        made or started."""
        rows = list(Starts.of(self.project, self.rules.apis).ran(one))
        found = {row.start.entry["language"] for row in rows if row.start is not None}
        if not rows or rows[-1].start is None or len(found) != 1 or not (tools := _TOOLS_OF_OTHERS.get(*found)):
            return None
        recipe = one.image.path if one.image is not None else one.deployment.path
        return None if tools.search(self.project.tree.read(recipe) or b"") else found.pop()

    def running_at(self, path: str) -> list[Running]:
        """The services that run the code at ``path``."""
        found = [one for folder in above(posixpath.dirname(path)) for one in self._alone_in.get(folder, ())]
        found = [one for one in found if self.speaks(one, path)] if _is_below(path, "") and self._by_hand(path) else []
        return found + self._importing.get(path, [])

    @cached_property
    def _alone_in(self) -> dict[str, list[Running]]:
        """The services by the folder that they alone are built from."""
        found: dict[str, list[Running]] = {}
        for one in self.running:
            if (folder := self._folder(one)) is not None:
                found.setdefault(folder, []).append(one)
        return found

    @cached_property
    def _importing(self) -> dict[str, list[Running]]:
        """The other services, by each file that they load."""
        found: dict[str, list[Running]] = {}
        for one in self.running:
            for path in self.files(one) if self._folder(one) is None else ():
                found.setdefault(path, []).append(one)
        return found

    def _folder(self, one: Running) -> str | None:
        """The folder that ``one`` alone is built from; None where it is not clear."""
        if id(one) not in self._folders:
            self._folders[id(one)] = self._built_from(one)
        return self._folders[id(one)]

    def _built_from(self, one: Running) -> str | None:
        if one.service.build is None:
            return None
        folder = _plain(one.service.build)
        if not self._holds_code(one, folder):
            return None
        key = one.deployment.path, one.name
        shared = any((other.deployment.path, other.name) != key and _beside(one, other)
                     for other in self._built.get(folder, ()))
        parted = any((other.deployment.path, other.name) != key for other in self._built_below.get(folder, ()))
        return None if shared or parted else folder

    def _holds_code(self, one: Running, folder: str) -> bool:
        """Whether the image of ``one`` may hold code of ``folder``: a copy or a mount brings some, or a command may."""
        if one.image is None or one.service.mounts or any("$" in source for source in _sources(one)):
            return True
        for source in _sources(one):
            pattern = posixpath.normpath(posixpath.join(folder, source.lstrip("/")))
            if pattern in (".", folder) or any(mark in source for mark in "*?[") or "://" in source:
                return True
            if pattern in self.project.tree.paths and _is_below(pattern, folder):
                return True
            if next(self._in(pattern), None) is not None:
                return True
        return any("--mount" in (word.written or "") for stage in one.image.stages for run in stage.runs
                   for word in run.words)

    def _is_copied(self, one: Running, folder: str, path: str) -> bool:
        """Whether the image of ``one`` may hold the file at ``path``: something that is copied from ``folder`` does."""
        if one.image is None or one.service.mounts or not (sources := _sources(one)):
            return True
        for source in sources:
            start = re.split(r"[*?$\[{]", source.lstrip("/"), maxsplit=1)[0]
            place = posixpath.normpath(posixpath.join(folder, start))
            if place == "." or "://" in source or path == place or path.startswith(
                    f"{place}/" if start == source.lstrip("/") or start.endswith("/") else place):
                return True
        return False

    def below(self, folder: str) -> list[str]:
        """The code in ``folder`` that was written by hand."""
        return [path for path in self._in(folder) if self._by_hand(path)]

    def _in(self, folder: str) -> Iterator[str]:
        """The code in ``folder``, in order of path."""
        prefix = folder + "/" if folder else ""
        for at in range(bisect_left(self._paths, prefix), len(self._paths)):
            if not self._paths[at].startswith(prefix):
                return
            yield self._paths[at]

    @cached_property
    def _paths(self) -> list[str]:
        return [path for path in sorted(self.project.tree.paths) if _is_below(path, "")]

    def _by_hand(self, path: str) -> bool:
        data = self.project.tree.read(path) or b""
        return len(data) < _LONGEST_LINES * (data.count(b"\n") + 20)

    def _imported(self, one: Running) -> list[str]:
        rows = list(Starts.of(self.project, self.rules.apis).ran(one))
        # the last command goes on running, or what it runs last, or all that it supervises
        last = [row.start for row in rows if row.beside] or [row.start for row in rows[-1:]]
        paths = [next(targets_of(start), None) for start in last if start is not None]
        modules = [module for path in paths if path is not None and (module := self.project.module(path)) is not None]
        if not modules:
            return []
        # what belongs to another service or library is read for its own sake
        homes = {"", *(package_root(self.project, module.path) for module in modules)}
        started = [module.path for module in modules]
        found = loaded(self.project, [*started, *named_by(self.project, started[0], one.environment)], _MOST)
        return [path for path in found if path in started or package_root(self.project, path) in homes]


def _sources(one: Running) -> list[str]:
    """What the stages of the image of ``one`` copy from its context."""
    stages = one.image.stages if one.image is not None else ()
    return [source for stage in stages for source, _, origin in stage.copies if origin is None]


def _plain(folder: str) -> str:
    """A folder of the project with "" for the root."""
    return "" if folder == "." else folder


def _is_below(path: str, folder: str, endings: tuple[str, ...] = CODE) -> bool:
    prefix = folder + "/" if folder else ""
    return path.startswith(prefix) and path.endswith(endings) and not _NOT_OWN.search(path)


def _attribute(module: Module, node: Any) -> tuple[p.Class, str] | None:
    """The attribute that the body of a class in Python binds to the value of ``node``, with the class; so it does where
    a function gives the value to each object: ``host: str = Field(default_factory=lambda: …)``."""
    if module.program.language != "python":
        return None
    for around in module.parents(node):
        if type(around) is p.Function:
            given = module.parent(around)
            if type(given) is not p.Argument or given.name != "default_factory":
                return None
        elif type(around) is p.Let:
            owner = module.parent(around)
            return (owner, around.target.id) if type(around.target) is p.Name and type(owner) is p.Class else None
    return None


def _names(names: set[str]) -> re.Pattern[bytes]:
    """What a file holds that may use one of the constants ``names`` of another; a comment speaks of what the code does
    not use."""
    words = b"|".join(re.escape(name.encode()) for name in sorted(names))
    return re.compile(rb"^[^#\n]*\b(?:" + words + rb")\b|import \*", re.MULTILINE)


def _asks(field: str) -> re.Pattern[bytes]:
    """What asks for an attribute: a variable of the environment may have the same name."""
    word = re.escape(field.encode())
    return re.compile(rb"\.\s*" + word + rb"\b|(?<!getenv\()(?<!environ\[)(?<!environ\.get\()[\"']" + word + rb"[\"']")


def _constants(module: Module, node: Any) -> set[str] | None:
    """The names at the top of the module that the value of ``node`` goes to; None where the module itself uses it."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        statement = module.statement(here)
        target = statement.target if type(statement) is p.Let else None
        if type(target) is not p.Name or module.function(here) is not None or type(module.parent(statement)) is p.Class:
            return None
        if target.id not in found:
            found.add(target.id)
            waiting += [name for name in module.nodes(p.Name) if name.id == target.id and name is not target]
    return found


def _beside(one: Running, other: Running) -> bool:
    """Whether both are deployed together, so that one image runs in two ways."""
    if one.service.kind != other.service.kind or other.service.kind == "dockerfile":
        return False
    if one.service.kind == "kubernetes":
        return one.service.group == other.service.group
    return one.deployment.path == other.deployment.path


# -- what it needs -----------------------------------------------------------------------------------------------------


def loaded_without(paths: list[str], stages: Stages, project: Project, rules: Rules) -> dict[str, Step]:
    """The variables without which the code at ``paths`` stops while it is loaded, with the first read of each."""
    values = values_of(project, rules.apis)
    found: dict[str, Step] = {}
    for path in paths:
        data = project.tree.read(path)
        if stages.of_path(path) != "production" or data is None or b"env" not in data.lower():
            continue
        module = project.module(path)
        if module is None:
            continue
        demands = [(read.variables[0], node) for node, reads in demanded(values, stages, module) for read in reads
                   if len(read.variables) == 1 and module.function(node) is None and not _is_inside(module, node)]
        for name, node in (*required(values, module), *demands):
            found.setdefault(name, Step(Place(path, node.at), f"{name} is required here"))
    return found


def _is_inside(module: Module, node: Any) -> bool:
    """Whether a test that stops the program stands in a branch, or where what it raises is caught."""
    return any(type(above) in (p.Try, p.If, p.Conditional) for above in module.parents(node))


def required(values: Any, module: Module) -> Iterator[tuple[str, Any]]:
    """Variables whose read stops the program where they are not set, read while the module is loaded."""
    for kind in (p.Index, p.Call, p.Member):
        for node in module.nodes(kind):
            access = values.environment.access(module, node)
            if access is None or access.absent != "raises" or access.default is not None:
                continue
            around = module.parents(node)
            if module.function(node) is not None or any(type(a) in (p.Try, p.If, p.Conditional) for a in around):
                continue
            for name in access.names:
                text = name if isinstance(name, str) else (name.value if type(name) is p.Text else None)
                if text:
                    yield access.prefix + text, node
