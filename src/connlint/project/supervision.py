"""What a supervisor runs that a service starts: the programs of its configuration, as that stands in the container.

Facts (supervisord's manual): ``-c`` names the configuration; without it the first is taken that is there, beside where
the supervisor is started and in ``/etc``. The packages of Debian and Alpine bring one that takes in a folder.
"""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase

from msgspec.structs import replace

from connlint.languages.deployment.files import read_deployment
from connlint.languages.deployment.supervisor import taken_in
from connlint.model.deployment import Command
from connlint.project.answer import Found
from connlint.project.grounds import Ground, Inside
from connlint.project.tree import Tree

_SUPERVISORS = ("supervisord",)
_FLAGS = ("-c", "--configuration")
_PLACES = ("supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf")
"""Where the configuration is looked for that nothing names."""
_PACKAGED = {
    "/etc/supervisor/supervisord.conf": "/etc/supervisor/conf.d/*.conf",
    "/etc/supervisord.conf": "/etc/supervisor.d/*.ini",
}
"""What the files of packages take in."""
_MOST = 20
"""Files that are taken in, one by another."""


class Supervision:
    """Answers what supervisors start; ``followed`` are the files that have been read for one of them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.followed: set[str] = set()

    def programs(self, command: Command, ground: Ground) -> tuple[Command, ...]:
        """The commands of the programs that ``command`` supervises where it runs, each with the variables that it is
        told; none where it is no supervisor, or its configuration is not known."""
        words = [word.value or "" for word in command.words]
        at = next((at for at, word in enumerate(words[:3]) if posixpath.basename(word) in _SUPERVISORS), None)
        if at is None or (at and not posixpath.basename(words[0]).startswith("python")):
            return ()
        named = self._named(words[at + 1:])
        waiting = self._usual(ground) if named is None else [named]
        found: list[Command] = []
        seen: set[str] = set()
        while waiting and len(seen) < _MOST:
            place = waiting.pop(0)
            for path in self._files(place, ground):
                if path in seen:
                    continue
                seen.add(path)
                data = self.tree.read(path) or b""
                deployment = read_deployment(path, data, self.tree.read, "supervisor")
                folder = posixpath.dirname(posixpath.join(ground.folder if isinstance(ground, Inside) else "/", place))
                waiting += taken_in(data, folder)
                for service in deployment.services if deployment is not None else ():
                    found += [replace(it, folder=it.folder or "", assignments={**service.environment, **it.assignments})
                              for it in service.commands]
                    self.followed.add(path)
            if not seen and place in _PACKAGED:
                waiting.append(_PACKAGED[place])
        return tuple(found)

    @staticmethod
    def _named(words: list[str]) -> str | None:
        """The configuration that options name; None where they name none."""
        for word, behind in zip(words, [*words[1:], ""]):
            flag, equals, value = word.partition("=")
            if flag in _FLAGS:
                return value if equals else behind
            if word.startswith("-c") and len(word) > 2:
                return word[2:]
        return None

    def _usual(self, ground: Ground) -> list[str]:
        """The first of the usual places that has a file; what packages bring where none has."""
        there = next((place for place in _PLACES if self._files(place, ground)), None)
        return [there] if there is not None else list(_PACKAGED)

    def _files(self, pattern: str, ground: Ground) -> list[str]:
        """The files of the project that stand in the place that a path or a pattern names."""
        folder, name = posixpath.split(pattern)
        names = [name] if not any(mark in name for mark in "*?[") else sorted(
            each for each in self._names(ground) if fnmatchcase(each, name))
        answers = (ground.find(posixpath.join(folder, each)) for each in names)
        return [answer.path for answer in answers if isinstance(answer, Found) and not answer.path.endswith("/")]

    def _names(self, ground: Ground) -> set[str]:
        """The names of files that may be configuration of a supervisor: the project's, and those that copies give."""
        found = {posixpath.basename(path) for path in self.tree.paths if path.endswith((".conf", ".ini"))}
        if isinstance(ground, Inside):
            found |= {posixpath.basename(target) for _, target in ground.mounts}
            for stage in ground.image.stages if ground.image is not None else ():
                found |= {posixpath.basename(target) for _, target, _ in stage.copies}
        return found
