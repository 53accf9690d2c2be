"""Folders that were put aside: ``legacy``, ``spike``. Their name says so, and nothing outside leads into them.

A package of its own may be built and started for itself, so such a folder is none of these.
"""

from __future__ import annotations

import re

from connlint.patterns import regex
from connlint.project.abandoned import Abandoned
from connlint.project.importers import CODE, importers
from connlint.project.javascript_files import folder_of
from connlint.project.naming import is_left_out
from connlint.project.packages import MARKS
from connlint.project.project import Project
from connlint.project.stage import Stages

_TELLING = regex(
    r"(?:^|/)(?:[^/]*Dockerfile[^/]*|Procfile[^/]*|Makefile|justfile|crontab|[^/]+\.(?:ya?ml|toml|cfg|ini|json|jsonc|html?|sh|"
    r"service|conf|cron|tf|nix|bat|ps1))$")
"""Files that may say what is built, copied and started."""
_LARGEST = 400_000
"""Bytes. A larger file is data."""
_DATA = regex(
    rb"\.(?:png|jpe?g|gif|svg|webp|pdf|txt|md|csv|tsv|log|sqlite3?|db|zip|gz|wav|mp[34]|html?|css|parquet|pkl|json)['\"`]?$")
"""The end of a way to a file that is read or written, and no code."""
_COMMON = frozenset(("tmp", "temp"))
"""Names that stand for more than a folder of the project, where nothing follows on them."""
_COMPANY = 3
"""Files outside of the folder that others import, before the program can be told from what was put aside."""


class Shelved:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages) -> None:
        self.project = project
        self.stages = stages
        self.index = importers(project)
        self.abandoned = Abandoned.of(project, stages)
        self._known: dict[str, bool] = {}

    @classmethod
    def of(cls, project: Project, stages: Stages) -> Shelved:
        """The one `Shelved` of a project."""
        return project.single(cls, project, stages)

    def has(self, path: str) -> bool:
        """Whether the file stands in a folder that was put aside."""
        folders = path.split("/")[:-1]
        return any(self._is_left("/".join(folders[: place + 1])) for place, name in enumerate(folders)
                   if self.stages.is_aside(name.lower().strip("_.")))

    def _is_left(self, folder: str) -> bool:
        if folder not in self._known:
            self._known[folder] = (not any(f"{inside}/{mark}" in self.project.tree.paths
                                           for inside in self._folders(folder) for mark in MARKS)
                                   and not self._is_led_into(folder) and self._has_company(folder)
                                   and not self._is_named(folder))
        return self._known[folder]

    def _folders(self, folder: str) -> list[str]:
        return [one for one in self.project.tree.folders if one == folder or one.startswith(folder + "/")]

    def _is_led_into(self, folder: str) -> bool:
        """Whether the program imports a file of the folder, or looks for such files by itself."""
        prefix = folder + "/"
        above = folder_of(folder)
        if above and any(folder_of(loader) == above for loader in self.abandoned.gathering.loaders):
            return True
        return any(
            self.abandoned.is_found(f"{folder_of(path)}/_.py" if path.endswith(".py") else path)
            or any(not other.startswith(prefix) and self.stages.of_path(other) not in ("test", "example")
                   for other in self.index.of(path))
            for path in self.index.paths if path.startswith(prefix))

    def _has_company(self, folder: str) -> bool:
        """Whether enough of the program stands outside, so that it would be seen to lead in."""
        found: set[str] = set()
        for other in self.index.paths:
            if not other.startswith(folder + "/") and self.stages.of_path(other) == "production":
                found.update(target for _, target, _ in self.index.targets(other))
                if len(found) >= _COMPANY:
                    return True
        return False

    def _is_named(self, folder: str) -> bool:
        """Whether something outside writes the name of the folder as one writes the way to it."""
        prefix = folder + "/"
        name = re.escape(folder.rpartition("/")[2].encode())
        way = re.compile(rb"(?<![\w-])(?<![\s\"'=:(,]/)%s(?:[/\\][\w./\\-]*|\.[A-Za-z_])|['\"]%s['\"]|"
                         rb"^[ \t]*(?:COPY|ADD)\b[^\n]*[\s/]%s(?![\w-])|"
                         rb":[ \t]*(?:\./)?%s[ \t]*$" % (name, name, name, name), re.M)
        quoted = _quoted(name, alone=folder.rpartition("/")[2] not in _COMMON)
        outer = folder.rpartition("/")[0].rpartition("/")[2].encode()
        for path in self.project.tree.paths:
            if path.startswith(prefix):
                continue
            pattern = quoted if path.endswith(CODE) else way if _TELLING.search(path) else None
            if pattern is not None and self.stages.of_path(path) not in ("test", "example"):
                data = self.index.data(path)
                if len(data) <= _LARGEST and any(
                        _DATA.search(found[0]) is None and (pattern is way or outer in data or b"/" in found[0])
                        and not (pattern is way and is_left_out(data, found.start()))
                        for found in pattern.finditer(data)):
                    return True  # the name alone is a word like others, unless the folder above is named, too
        return False


def _quoted(name: bytes, *, alone: bool) -> re.Pattern[bytes]:
    """Texts in code that may be a way into a folder ``name`` of the project, or, ``alone``, its name."""
    ways = rb"(?:[^'\"`\n]*[^'\"`\n/]%s|\.{1,2}/)?" % (rb"[./]" if alone else rb"/")
    rest = rb"(?:[./][^'\"`\n]*)?" if alone else rb"(?:/[^'\"`\n]*|(?:\.\w+)+)"
    return re.compile(rb"['\"`]%s%s%s['\"`]" % (ways, name, rest))
