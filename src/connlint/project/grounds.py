"""The ground on which a command runs: which file of the project is found under a path that the command names.

A folder of the project is one; the working folder of an image is another, in which every file comes from some ``COPY``
or bind mount. What neither shows may still be there: downloaded, built, or part of the base image. Then it is unknown.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from connlint.languages.deployment.dockerfile import workdir
from connlint.model.deployment import HOSTED, PACKED, Command, Image, Service, Stage
from connlint.patterns import regex
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.services import Running, Services
from connlint.project.tree import Tree, above

_FETCHES = regex(
    r"^(?:git|curl|wget|unzip|tar|aws|gsutil|rsync|scp|svn|hg|degit|copier|cookiecutter|django-admin|create-.*)$"
)
_COPIES = regex(r"^(?:cp|mv|ln|install|tee|echo|printf|cat|sed|touch)$")


_FILE = regex(r"[\w-]\.(?:[cm]?[jt]sx?|json|py|toml|lock|ya?ml|sh|txt|cfg|ini|conf|env|html|css|md)$")
"""Names of what is a file and no folder."""


class Ground(Protocol):
    """Somewhere paths can be looked up."""

    @property
    def tree(self) -> Tree:
        """The project that the files belong to."""

    def find(self, path: str) -> Answer:
        """The project's file at ``path``, relative to where the command runs, or absolute. A folder ends in a slash."""


class Folder(Struct, frozen=True):
    """A folder of the project; ``root`` is where the project lies on the machine, "" where that is not known."""

    tree: Tree
    folder: str
    root: str = ""

    def find(self, path: str) -> Answer:
        if self.root and (rest := _rest(posixpath.normpath(path), self.root)) is not None:
            return in_tree(self.tree, rest)
        if path.startswith(("/", "~")):
            return Unknown("a path of the machine")
        return in_tree(self.tree, posixpath.join(self.folder, path))


class Inside(Struct, frozen=True):
    """The folder ``folder`` of a container: ``context`` is the folder of the project that the image is built from."""

    tree: Tree
    folder: str
    image: Image | None
    stage: Stage | None
    context: str | None
    mounts: tuple[tuple[str, str], ...]
    plain: frozenset[str]
    """Names of base images that hold no application."""

    def find(self, path: str) -> Answer:
        inside = posixpath.normpath(posixpath.join(self.folder, path))
        covering = [(host, target) for host, target in self.mounts if _rest(inside, target) is not None]
        if covering:
            host, target = max(covering, key=lambda m: len(m[1]))
            if host not in self.tree.folders and host not in self.tree.paths and host != ".":
                return Unknown("a mount of something else")
            return in_tree(self.tree, posixpath.join(host, _rest(inside, target) or ""))
        if self.image is None or self.stage is None or self.context is None:
            return Unknown("an image from elsewhere")
        return self._built(inside, self.stage, 0)

    def _built(self, inside: str, stage: Stage, depth: int) -> Answer:
        """What the stages bring to the absolute path ``inside``."""
        assert self.image is not None and self.context is not None
        if depth > 5:
            return Unknown("too many stages")
        doubt: str | None = None
        tried: tuple[str, ...] = ()
        layers = _layers(self.image, stage)
        for layer in reversed(layers):
            for source, target, origin in reversed(layer.copies):
                answer = self._copied(inside, source, target, origin, depth)
                if isinstance(answer, Found):
                    return answer
                if isinstance(answer, Unknown):
                    doubt = doubt or answer.why
                elif isinstance(answer, Missing):
                    tried += answer.tried
            for run in layer.runs:
                doubt = doubt or self._made(run, inside)
        base = layers[0].base if layers else ""
        if not is_plain(base, self.plain):
            doubt = doubt or f"the base image {base}"
        if not tried and depth == 0 and self._fills_below(inside, layers):
            tried = (inside,)
        if not tried:
            doubt = doubt or "nothing of the project is copied there"
        return Unknown(doubt) if doubt else Missing("not in the image", tried)

    def _fills_below(self, inside: str, layers: list[Stage]) -> bool:
        """Whether the project's code goes into other folders of the one in which the command runs than ``inside``."""
        prefix = self.folder.rstrip("/") + "/"
        if prefix == "/" or self.mounts or not inside.startswith(prefix):
            return False
        return any(posixpath.normpath(target).startswith(prefix)
                   for layer in layers for _, target, origin in layer.copies if origin is None)

    def _copied(self, inside: str, source: str, target: str, origin: str | None, depth: int) -> Answer | None:
        """What one copy brings to ``inside``; None where it does not reach it."""
        assert self.image is not None and self.context is not None
        exact, into = posixpath.normpath(target), target.endswith(("/", "/."))
        rest = _rest(inside, exact)
        if rest is None:
            # what is copied further down makes the folders above it
            if exact.startswith(inside.rstrip("/") + "/"):
                return Found(f"{inside}/")
            return None
        if "$" in source:
            return Unknown("copied by a variable")
        if origin is not None:
            stage = self._stage(origin)
            if stage is None:
                return Unknown(f"copied from {origin}")
            whole = posixpath.normpath(posixpath.join("/", source))
            last = posixpath.basename(whole)
            if rest == last:
                # a file goes into a folder under its own name, where of a folder it would be what that holds
                brought = self._built(whole, stage, depth + 1)
                if not (isinstance(brought, Found) and brought.path.endswith("/")):
                    return Unknown("made by a build") if isinstance(brought, Missing) else brought
            elif rest and _FILE.search(last):
                return None
            answer = self._built(posixpath.normpath(posixpath.join(whole, rest)), stage, depth + 1)
            if isinstance(answer, Missing) and isinstance(self._built(whole, stage, depth + 1), Missing):
                # what is copied is there, or there is no image
                return Unknown("made by a build")
            return answer
        if any(mark in source for mark in "*?["):
            return self._globbed(rest, source)
        if source.startswith(("http://", "https://", "git@")) or source.endswith((".tar", ".tar.gz", ".tgz", ".zip")):
            return Unknown("unpacked or downloaded")
        place = posixpath.normpath(posixpath.join(self.context, source.lstrip("/"))).removeprefix("./")
        if place in self.tree.paths:
            named = posixpath.join(exact, posixpath.basename(place))
            if inside == named and (into or rest):
                return Found(place)
            if inside == exact and not into:
                return Found(place)
            return None
        if place != "." and place not in self.tree.folders:
            # what is copied is there, or there is no image; a file brings nothing but itself
            last = posixpath.basename(place)
            return None if _FILE.search(last) and rest not in ("", last) else Unknown("made by a build")
        return in_tree(self.tree, posixpath.join(self.context, source.lstrip("/"), rest))

    def _globbed(self, rest: str, source: str) -> Answer | None:
        assert self.context is not None
        folder, _, pattern = source.rpartition("/")
        first = rest.partition("/")[0]
        if not first or any(mark in folder for mark in "*?["):
            return Unknown("copied by a pattern")
        if not fnmatchcase(first, pattern):
            return None
        return in_tree(self.tree, posixpath.join(self.context, folder.lstrip("/"), rest))

    def copied_from(self, path: str) -> tuple[Inside, str] | None:
        """The stage, and the absolute path in it, from which the image gets ``path``, where the last copy that reaches
        it is out of a folder of another stage that brings no file of the project there."""
        if self.image is None or self.stage is None or self.context is None:
            return None
        inside = posixpath.normpath(posixpath.join(self.folder, path))
        for layer in reversed(_layers(self.image, self.stage)):
            for source, target, origin in reversed(layer.copies):
                rest = _rest(inside, target)
                if rest:
                    stage = self._stage(origin) if origin is not None else None
                    whole = posixpath.normpath(posixpath.join("/", source, rest))
                    return (replace(self, folder="/", stage=stage), whole) if stage is not None else None
        return None

    def _stage(self, name: str) -> Stage | None:
        assert self.image is not None
        for at, stage in enumerate(self.image.stages):
            if stage.name == name.lower() or name == str(at):
                return stage
        return None

    @staticmethod
    def _made(run: Command, inside: str) -> str | None:
        """Why a build step may make the file ``inside``."""
        texts = [word.value or word.written for word in run.words]
        program = posixpath.basename(texts[0]) if texts else ""
        if _FETCHES.match(program):
            return f"{program} may bring it"
        name = posixpath.basename(inside)
        stem = name.partition(".")[0]
        if _COPIES.match(program) and (program in ("cp", "mv", "ln") or any(stem in text for text in texts[1:])):
            return f"{program} may make it"
        return None


def in_tree(tree: Tree, path: str) -> Answer:
    """The file or folder ``path`` of the project. What is ignored may be made by a build and is unknown."""
    path = posixpath.normpath(path).removeprefix("./")
    if path == ".." or path.startswith(("../", "/")):
        return Unknown("outside of the project")
    if path in tree.paths:
        return Found(path)
    if path == "." or path in tree.folders:
        return Found("" if path == "." else path + "/")
    if tree.exists(path) or tree.ignored(path):
        return Unknown("ignored, so a build may make it")
    return Missing("no such file", (path,))


def is_plain(base: str, plain: Collection[str]) -> bool:
    """Whether the image ``base`` holds no application of its own."""
    name = base.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    return name in plain


def _rest(path: str, above: str) -> str | None:
    """What of ``path`` lies below ``above``; "" where they are the same, None where it is not below."""
    above = posixpath.normpath(above)
    if path == above:
        return ""
    prefix = above.rstrip("/") + "/"
    return path[len(prefix):] if path.startswith(prefix) else None


def _layers(image: Image, stage: Stage) -> list[Stage]:
    """A stage after those that it is built on."""
    found: list[Stage] = []
    at: Stage | None = stage
    while at is not None and at not in found:
        found.append(at)
        base = at.base.lower()
        at = next((s for s in image.stages if s.name == base and s is not at), None)
    return found[::-1]


def grounds_of(running: Running, command: Command, services: Services, plain: frozenset[str]) -> list[Ground]:
    """Where ``command`` of a service may run. None at all: nothing is known. More than one: it may be any of them."""
    service = running.service
    if running.image is None or running.stage is None:
        if service.kind in HOSTED or (service.kind in PACKED and service.build is not None):
            return [Folder(services.tree, command.folder)] if command.folder is not None else []
        if others := services.alternatives(running):
            rows = [grounds_of(other, command, services, plain) for other in others]
            return [ground for row in rows for ground in row] if all(rows) else []
        if service.kind == "compose" and service.mounts:
            inside = _joined(service.folder, command.inside)
            return [] if inside is None else [Inside(services.tree, inside, None, None, None, service.mounts, plain)]
        return []
    start = service.folder or workdir(running.stage, list(running.image.stages)) or "/"
    inside = _joined(start, command.inside)
    if inside is None:
        return []
    return [Inside(services.tree, inside, running.image, running.stage, context, service.mounts, plain)
            for context in contexts_of(service, running.image, services.tree)]


def stepped(ground: Ground, folder: str | None) -> Ground | None:
    """The ground after a change into ``folder``; None where that is not known."""
    if folder is None or not isinstance(ground, (Folder, Inside)):
        return None
    if isinstance(ground, Folder) and folder.startswith("/"):
        return None
    return replace(ground, folder=posixpath.normpath(posixpath.join(ground.folder, folder)))


def _joined(folder: str | None, step: str | None) -> str | None:
    if folder is None:
        return step if step is not None and step.startswith("/") else None
    return posixpath.normpath(posixpath.join(folder, step or ""))


def contexts_of(service: Service, image: Image, tree: Tree) -> list[str]:
    """The folders that the image may be built from: all it copies must be there."""
    if service.kind != "dockerfile" and service.build is not None:
        return [service.build]
    found = []
    for context in above(posixpath.dirname(image.path)):
        sources = [s for stage in image.stages for s, _, origin in stage.copies if origin is None]
        places = [posixpath.normpath(posixpath.join(context, s.lstrip("/"))).removeprefix("./") for s in sources
                  if not any(mark in s for mark in "*?[$") and "://" not in s]
        if all(p == "." or p in tree.paths or p in tree.folders or tree.ignored(p) for p in places):
            found.append(context or ".")
    if len(found) > 1 and (patterns := _lone_patterns(image)):
        # a pattern that stands alone has to match something, else the build fails
        near = [context for context in found if all(_matches(tree, context, pattern) for pattern in patterns)]
        return near or found
    return found


def _matches(tree: Tree, context: str, pattern: str) -> bool:
    """Whether anything in the folder of ``pattern`` is called so; where that folder is a pattern, too, it may."""
    folder, name = posixpath.split(posixpath.normpath(posixpath.join(context, pattern)))
    return "*" in folder or any(posixpath.dirname(path) == folder and fnmatchcase(posixpath.basename(path), name)
                                for rows in (tree.paths, tree.folders) for path in rows)


def _lone_patterns(image: Image) -> list[str]:
    """The patterns that an image copies without anything beside them: ``COPY package*.json ./``."""
    rows = [(source, target) for stage in image.stages for source, target, origin in stage.copies if origin is None]
    return [source.lstrip("/") for at, (source, target) in enumerate(rows) if "*" in source and "$" not in source
            and all(beside[1] != target or beside[0] in (".", "./")
                    for beside in (*rows[max(at - 1, 0):at], *rows[at + 1:at + 2]))]
