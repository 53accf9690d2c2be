"""Which code of the project a service runs, what it reads from its environment, and which services it names itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from connlint.checks import deployed
from connlint.checks.fallbacks import top
from connlint.map.neighbours import Neighbours
from connlint.map.origins import Origins
from connlint.map.places import Lines
from connlint.model import program as p
from connlint.model.deployment import HOSTED, UPON_MACHINE, Known
from connlint.model.finding import Place
from connlint.model.map import Spot
from connlint.model.rule import Rules
from connlint.project.address import HOLE, Host, hosts
from connlint.project.clients import construction
from connlint.project.grounds import contexts_of
from connlint.project.module import Module
from connlint.project.named_modules import named_by
from connlint.project.packages import own_root, reached
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.stage import Stages, stages_of
from connlint.project.starts import Starts
from connlint.project.targets import targets_of
from connlint.project.values import Values, values_of

MOST_FILES = 1500
"""Files of one service that are read; a larger one is only named."""


class Code(Struct, frozen=True):
    """What a service runs: folders and files of the project, and the source files below them that go to production."""

    roots: tuple[str, ...]
    files: tuple[str, ...]


class Reading(Struct, frozen=True):
    """One read of a variable: ``required`` says that the program stops without it.

    ``defaults`` are pairs of a text and the variables without which it is taken.
    """

    variable: str
    defaults: tuple[tuple[str, tuple[str, ...]], ...]
    required: bool
    place: Place


class Codes:
    """Answers about the code of services; made once per map."""

    def __init__(self, project: Project, rules: Rules, files: Collection[str], lines: Lines) -> None:
        """``files`` are the source files of the project that are its own."""
        self.project = project
        self.rules = rules
        self.lines = lines
        self.services = Services.of(project)
        self.values: Values = values_of(project, rules.apis)
        self.stages: Stages = stages_of(project, rules.apis, self.values)
        self.deployed = deployed.Code.of(project, rules)
        self.sources = [path for path in sorted(files) if self.stages.of_path(path) == "production"]
        self.builds = sorted({b for one in self.services.running() if (b := one.service.build) not in (None, ".", "")
                              and one.service.kind != "dockerfile"})
        self.starts = Starts.of(project, rules.apis)
        self._readings: dict[str, tuple[Reading, ...]] = {}
        self._words = {*self.values.environment.words, *(word.encode() for entry in rules.apis.get("reader", ())
                                                         for word in entry.get("words", ()))}

    def of(self, one: Running) -> Code:
        """The code of ``one``; without roots where it is not known."""
        if one.service.kind in UPON_MACHINE:
            started = [path for ran in self.starts.ran(one) if ran.start is not None for path in targets_of(ran.start)]
            loaded = self.loaded(started) & frozenset(self.sources)
            return Code(tuple(dict.fromkeys(own_root(self.project, path) or "." for path in started)),
                        tuple(sorted(loaded)))
        roots = self._roots(one)
        others = [b for b in self.builds if not any(root == b or root.startswith(b + "/") for root in roots)
                  and b != one.service.build]
        files = tuple(path for path in self.sources if any(_below(path, root) for root in roots)
                      and not any(_below(path, other) for other in others) and self.deployed.speaks(one, path))
        return Code(roots, files)

    def _roots(self, one: Running) -> tuple[str, ...]:
        service = one.service
        found: list[str] = []
        if one.image is not None and one.stage is not None:
            contexts = contexts_of(service, one.image, self.project.tree)
            if len(contexts) == 1 or service.build is not None:
                context = contexts[0] if contexts else service.build or "."
                found += self._copied(one, context)
        elif service.build is not None and service.kind not in HOSTED and "\0" in (service.dockerfile or "\0"):
            found.append(service.build)
        elif service.kind in HOSTED:
            found += [folder for folder in (one.folder, service.build) if folder is not None][:1]
        found += [host for host, _ in service.mounts if host in self.project.tree.folders or host == "."]
        found = [root for root in found if self._holds_code(root)]
        whole = [root or "." for root in dict.fromkeys(found)]
        return tuple(root for root in whole if not any(root != other and _below(root, other) for other in whole))

    def _copied(self, one: Running, context: str) -> Iterator[str]:
        """What of the project the final stage holds: copied as it is, or made from it in another stage."""
        image, stage = one.image, one.stage
        assert image is not None and stage is not None
        origins = Origins(self.services, image, context)
        pending, seen = [stage], []
        while pending:
            for layer in self.services.layers(image, pending.pop()):
                if layer in seen:
                    continue
                seen.append(layer)
                for source, _, origin in layer.copies:
                    if origin is not None:
                        other = origins.stage(origin)
                        if other is None:
                            continue
                        made = origins.of(posixpath.normpath(posixpath.join("/", source)), other)
                        if made is None:
                            pending.append(other)
                        elif made.is_own:
                            yield made.path
                    elif "$" not in source and "://" not in source:
                        place = posixpath.normpath(posixpath.join(context, source.lstrip("/"))).removeprefix("./")
                        if any(mark in place for mark in "*?["):
                            yield from (path for path in self.sources if _matches(path, place))
                        elif place == "." or place in self.project.tree.folders or place in self.project.tree.paths:
                            yield place

    def loaded(self, started: Iterable[str], environment: Mapping[str, Known] | None = None) -> frozenset[str]:
        """What the files that a service starts import, these among them, and the settings that its ``environment``
        names; nothing where none of them is known."""
        found: set[str] = set()
        files = [path for path in started if path]
        named = named_by(self.project, files[0], environment) if files and environment else []
        for path in dict.fromkeys((*files, *named)):
            if (module := self.project.module(path)) is not None:
                found |= {path, *reached(self.project, module, MOST_FILES)}
        return frozenset(found)

    def beyond(self, started: Iterable[str]) -> frozenset[str]:
        """The source files outside of the packages of what a service starts, where these are not the whole project:
        an image that holds everything runs one of its programs."""
        homes = {own_root(self.project, path) for path in started if path}
        if not homes or "" in homes:
            return frozenset()
        return frozenset(path for path in self.sources if not any(_below(path, home) for home in homes))

    def _holds_code(self, root: str) -> bool:
        return any(_below(path, root) for path in self.sources)

    # -- reads --------------------------------------------------------------------------------------------------------

    def readings(self, path: str) -> tuple[Reading, ...]:
        """Every read of the environment in the file at ``path`` whose variable is known."""
        if path not in self._readings:
            self._readings[path] = tuple(self._read(path))
        return self._readings[path]

    def _read(self, path: str) -> Iterator[Reading]:
        data = self.project.tree.read(path)
        if data is None or not any(word in data for word in self._words):
            return
        module = self.project.module(path)
        if module is None:
            return
        for kind in (p.Index, p.Call, p.Member):
            for node in module.nodes(kind):
                access = self.values.environment.access(module, node)
                if access is None or self.stages.only_in_development(module, node):
                    continue
                names = [name if isinstance(name, str) else name.value for name in access.names
                         if isinstance(name, (str, p.Text))]
                # a name with dots is a way in the program's own settings, and no variable
                names = [name for name in names if "." not in name]
                defaults = self._defaults(module, node)
                for name in names:
                    required = access.absent == "raises" and not defaults and module.function(node) is None
                    yield Reading(access.prefix + name, defaults, required, Place(path, node.at))
        for declared in self.values.environment.declarations(module):
            texts = [q.text for q in self.values.declared(module, declared)
                     if q.text and HOLE not in q.text and not q.nothing and not q.reads]
            for name in declared.variables[:1]:
                defaults = tuple((text, declared.variables) for text in texts[:1])
                yield Reading(name, defaults, declared.required, Place(path, declared.node.at))

    def _defaults(self, module: Module, node: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The texts that are taken where the read at ``node`` finds nothing."""
        possible = self.values.possible(module, top(self.values, module, node))
        return tuple((q.text, tuple(name for read in q.absent for name in read.variables)) for q in possible
                     if q.absent and q.text and not q.nothing and not q.reads)

    # -- names in the code --------------------------------------------------------------------------------------------

    def named(self, code: Code, neighbours: Neighbours) -> Iterator[tuple[Host, Spot]]:
        """Services of the deployment that the code itself names as an address: in a URL, or as the host of a client."""
        names = "|".join(re.escape(name) for name in neighbours.hosts)
        if not names:
            return
        written = re.compile(rf"(?:['\"`]|//|@)(?:{names})(?=['\"`:/?])".encode(), re.I)
        for path in code.files[:MOST_FILES]:
            data = self.project.tree.read(path)
            if data is None or written.search(data) is None or (module := self.project.module(path)) is None:
                continue
            for home, node, host in self._literals(module):
                if neighbours.named(host.name) is not None and not self.stages.only_in_development(home, node):
                    yield host, self.lines.spot(Place(home.path, node.at))

    def _literals(self, module: Module) -> Iterator[tuple[Module, Any, Host]]:
        """Literals that are an address, or what a client is given as one, with the module they stand in."""
        for text in module.nodes(p.Text):
            if "://" in text.value:
                for host in hosts(text.value):
                    yield module, text, host
        for call in module.nodes(p.Call):
            built = construction(module, call, self.project, self.rules)
            for _, value in built.addresses() if built is not None else ():
                for q in self.values.possible(module, value):
                    if q.origin is None or q.reads or q.absent or not q.text or "://" in q.text:
                        continue
                    for host in hosts(q.text):
                        yield q.origin.module, q.origin.node, host


def _matches(path: str, pattern: str) -> bool:
    """Whether a pattern of ``COPY`` takes in ``path``, or a folder above it; a star stays within one name."""
    names, wanted = path.split("/"), pattern.split("/")
    return len(names) >= len(wanted) and all(fnmatchcase(name, want) for name, want in zip(names, wanted))


def _below(path: str, root: str) -> bool:
    return root in (".", "") or path == root or path.startswith(root.rstrip("/") + "/")
