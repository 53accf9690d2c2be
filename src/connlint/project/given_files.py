"""Configuration files that a service is given, by a mount or in its image."""

from __future__ import annotations

import posixpath
import re

from connlint.patterns import regex
from connlint.project.grounds import contexts_of
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.starts import Starts

_ENDINGS = (".conf", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".cnf", ".json", ".properties", ".template", ".hcl",
            ".alloy", ".river", ".xml", ".tmpl")
_NAMES = ("Caddyfile", "Corefile")
_PLACES = regex(r"^/etc/|/(?:conf|config|conf\.d|provisioning)(?:/|$)|\.conf$")
"""Where containers keep configuration."""
_OF_THE_SYSTEM = regex(r"^/etc/")
"""The same where a container runs a program of the project, which has a configuration of its own elsewhere."""
_ANYWHERE = regex("")
_MOST_BYTES = 200_000
_MOST_FILES = 40
_COMMENT = regex(rb"(?:^|(?<=\s))(?:#|//(?=\s)|;(?=\s))[^\n]*", re.M)


class GivenFiles:
    """Answers which configuration services are given; made once per project."""

    def __init__(self, project: Project, starts: Starts) -> None:
        self.tree = project.tree
        self.starts = starts
        self.services = Services.of(project)

    @classmethod
    def of(cls, project: Project, starts: Starts) -> GivenFiles:
        """The one `GivenFiles` of a project."""
        return project.single(cls, project, starts)

    def files(self, one: Running) -> list[str]:
        """The configuration files of the project that ``one`` is given."""
        found: dict[str, None] = {}
        own = bool(self.starts.of_service(one))
        places = _OF_THE_SYSTEM if own else _PLACES
        for host, target in one.service.mounts:
            single = not own and host in self.tree.paths
            found |= dict.fromkeys(self._below(host, target, _ANYWHERE if single else places))
        if one.image is not None and one.stage is not None:
            contexts = contexts_of(one.service, one.image, self.tree)
            for layer in self.services.layers(one.image, one.stage) if contexts else ():
                for source, target, origin in layer.copies:
                    if origin is None and "$" not in source and "*" not in source:
                        place = posixpath.normpath(posixpath.join(contexts[0], source.lstrip("/"))).removeprefix("./")
                        if target.endswith("/"):
                            target = posixpath.join(target, posixpath.basename(place))
                        found |= dict.fromkeys(self._below(place, target, places))
        return list(found)

    def _below(self, path: str, target: str, places: re.Pattern[str]) -> list[str]:
        """The configuration files at ``path`` of the project, which stands at ``target`` in the container."""
        if path in self.tree.paths:
            named = path.endswith(_ENDINGS) or posixpath.basename(path) in _NAMES
            return [path] if named and places.search(target) else []
        if path in ("", ".") or path not in self.tree.folders or not places.search(target):
            return []
        rows = [file for file in sorted(self.tree.paths) if file.startswith(path + "/")
                and (file.endswith(_ENDINGS) or posixpath.basename(file) in _NAMES)]
        return rows[:_MOST_FILES]

    def plain(self, path: str) -> bytes:
        """The text without comments, of which every byte stays where it is."""
        data = (self.tree.read(path) or b"")[:_MOST_BYTES]
        return _COMMENT.sub(lambda hit: b" " * len(hit[0]), data)
