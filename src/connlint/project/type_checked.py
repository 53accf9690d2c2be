"""Which files a type checker of TypeScript looks at, and whether a build asks it.

Facts: the handbooks of TypeScript (``include``, and what included files import), Next.js (``next build`` checks types
unless ``ignoreBuildErrors`` is set), Nest and Angular (whose builds run the compiler).
"""

from __future__ import annotations

from typing import Any

from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.importers import importers
from connlint.project.javascript_files import folder_of
from connlint.project.packages import own_root
from connlint.project.programs import Programs
from connlint.project.project import Project

_TYPED = (".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")
_BUILDS = regex(r"^(?:pre|post)?(?:build|compile|prepare|prepublishOnly)(?:[:_-]|$)")
"""Names of scripts that make what is deployed."""
_CHECKS = regex(r"(?:^|[\s/])(?:tsc|vue-tsc|(?:next|nest|ng|react-scripts) build)(?=\s|$)")
"""Commands that check types, and fail where they are wrong."""
_SWC = regex(rb"""["']?builder["']?\s*:\s*(?:\{\s*["']?type["']?\s*:\s*)?["'](?:swc|webpack)["']""")
_LAX = regex(rb"\bignoreBuildErrors\s*:\s*true\b")
_MOST = 60
"""Files, one importing the other, that are looked at for one that the checker begins with."""


class TypeChecked:
    """Answers about one project."""

    def __init__(self, project: Project, programs: Programs) -> None:
        self.project = project
        self.programs = programs
        self.index = importers(project)
        self._builds: dict[str, bool] = {}

    @classmethod
    def of(cls, project: Project, programs: Programs) -> TypeChecked:
        """The one `TypeChecked` of a project."""
        return project.single(cls, project, programs)

    def sees(self, path: str, within: str = "") -> bool:
        """Whether a type checker looks at the file, as far as configurations in the folder ``within`` say: one covers
        it, or a file that leads to it. Where there is no configuration at all, nobody knows, and it does."""
        if not path.endswith(_TYPED):
            return False
        configs: Any = self.project.linkers["javascript"].resolver.configs  # type: ignore[attr-defined]
        if not configs.governing(path)[1]:
            return True
        found = {path: None}
        waiting = [path]
        while waiting:
            here = waiting.pop()
            config = configs.governing(here)[0]
            if (config is not None and f"/{config.path}".startswith(f"/{within}")) or len(found) > _MOST:
                return True
            fresh = [other for other in self.index.of(here) if other not in found]
            found.update(dict.fromkeys(fresh))
            waiting += fresh
        return False

    def builds(self, path: str) -> bool:
        """Whether the build of the file's package fails where the types of the file are wrong."""
        folder = folder_of(path)
        if folder not in self._builds:
            self._builds[folder] = self._checks_types(path)
        root = own_root(self.project, path)
        return self._builds[folder] and self.sees(path, f"{root}/" if root else "")

    def _checks_types(self, path: str) -> bool:
        scripts = jsonc.mapping(self.programs.package(path).get("scripts"))
        told = [text for name, text in scripts.items() if isinstance(text, str) and _BUILDS.search(name)]
        return any(_CHECKS.search(text) for text in told) and not any(
            pattern.search(self.project.tree.read(other) or b"") is not None
            for name, pattern in (("next.config.", _LAX), ("nest-cli.", _SWC))
            for other in self._beside(path, name))

    def _beside(self, path: str, start: str) -> list[str]:
        """The files whose names begin with ``start`` in the folders above ``path``."""
        above = {folder_of(path)}
        folder = folder_of(path)
        while folder:
            folder = folder_of(folder)
            above.add(folder)
        return [other for other in sorted(self.project.tree.paths)
                if other.rpartition("/")[2].startswith(start) and folder_of(other) in above]
