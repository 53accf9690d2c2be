"""Where what stands in an image comes from in the project, also where only what it is built from is there."""

from __future__ import annotations

import posixpath

from msgspec import Struct

from connlint.model.deployment import Image, Stage
from connlint.project.services import Services
from connlint.project.tree import Tree

_DEEPEST = 6
INSTALLED = ("node_modules", "site-packages", ".venv", "venv", ".local", ".cache", ".npm", ".yarn", ".pnpm-store")
"""Folders of what is installed: nothing in them is the project's."""


class Origin(Struct, frozen=True):
    """``path`` of the project ("." is the whole of it), and ``rest``, what is made below it and is not there."""

    path: str
    rest: str

    @property
    def is_own(self) -> bool:
        """Whether it comes of the project's files, and is not installed beside them."""
        return not any(part in INSTALLED for part in self.rest.split("/"))


class Origins:
    """Answers for one image that is built from the folder ``context``."""

    def __init__(self, services: Services, image: Image, context: str) -> None:
        self.services = services
        self.tree: Tree = services.tree
        self.image = image
        self.context = context

    def of(self, inside: str, stage: Stage, depth: int = 0) -> Origin | None:
        """What stands at the absolute path ``inside`` of ``stage``; None where no copy brings it."""
        nearest: Origin | None = None
        for layer in reversed(self.services.layers(self.image, stage)) if depth < _DEEPEST else ():
            for source, target, origin in reversed(layer.copies):
                found = self._copied(inside, source, target, origin, depth)
                if found is not None and not found.rest:
                    return found
                if found is not None and (nearest is None or len(found.path) > len(nearest.path)):
                    nearest = found
        return nearest

    def _copied(self, inside: str, source: str, target: str, origin: str | None, depth: int) -> Origin | None:
        rest = _rest(inside, posixpath.normpath(target))
        if rest is None or any(mark in source for mark in "*?[$") or "://" in source:
            return None
        if origin is not None:
            stage = self.stage(origin)
            if stage is None:
                return None
            return self.of(posixpath.normpath(posixpath.join("/", source, rest)), stage, depth + 1)
        base = _plain(posixpath.join(self.context, source.lstrip("/")))
        if base in self.tree.paths:
            into = target.endswith(("/", "/."))
            return Origin(base, "") if rest == (posixpath.basename(base) if into else "") else None
        if base != "." and base not in self.tree.folders:
            return None
        parts = [part for part in rest.split("/") if part]
        for count in range(len(parts), -1, -1):
            place = _plain(posixpath.join(base, *parts[:count]))
            if place == "." or place in self.tree.folders or (place in self.tree.paths and count == len(parts)):
                return Origin(place, "/".join(parts[count:]))
        return None

    def stage(self, name: str) -> Stage | None:
        """The stage that is called or numbered ``name``; None for images from elsewhere."""
        rows = enumerate(self.image.stages)
        return next((stage for at, stage in rows if stage.name == name.lower() or name == str(at)), None)


def _rest(path: str, above: str) -> str | None:
    if path == above:
        return ""
    prefix = above.rstrip("/") + "/"
    return path[len(prefix):] if path.startswith(prefix) else None


def _plain(path: str) -> str:
    return posixpath.normpath(path).removeprefix("./")
