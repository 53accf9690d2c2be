"""Where a project's Python modules are found from, and what it expects to be installed, as its files declare it."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from connlint.patterns import regex
from connlint.project.python_runs import installed_by, run_roots
from connlint.project.tree import Tree

_REQUIREMENT = regex(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_LOCKED = regex(rb'^name = "([^"]+)"', re.M)
_CALL_STRINGS = regex(
    rb"""["']([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]"']*\])?\s*(?:[<>=!~;@][^"'\n]*)?["']"""
)
_PYTHONPATH = regex(rb"PYTHONPATH[\"']?\s*[=:]\s*[\"']?([^\s\"'#]+)")
_SETUP_PACKAGE_DIR = regex(
    rb"package_dir\s*=\s*\{([^}]*)\}|where\s*=\s*['\"]([\w./-]+)['\"]"
    rb"|find_(?:namespace_)?packages\(\s*['\"]([\w./-]+)['\"]"
)
_SETUP_NAME = regex(rb"\bname\s*=\s*['\"]([\w.-]+)['\"]")
_QUOTED_PAIR = regex(rb"['\"]([\w.]*)['\"]\s*:\s*['\"]([\w./-]+)['\"]")
_MARKERS = {
    "pyproject.toml", "setup.py", "setup.cfg", "manage.py", "Pipfile", "pytest.ini", "tox.ini", "requirements.txt",
}

_TEST_SETTINGS = {"pytest.ini", "tox.ini", "setup.cfg"}
_SIDE = regex(r"(?:^|/)(?:tests?|docs?|ci|\.\w+|requirements)(?:/|$)")
"""Folders whose requirements are tools for the project around them."""


class Roots(Struct, frozen=True):
    """``folders`` hold top-level modules. ``declared`` are those of them that configuration names in so many words,
    each with the folders of the files that do so: it holds for what lies below these. ``started`` are those of which
    nothing is known but that a program runs there. ``projects`` are folders with requirements or an image of their own,
    so that what lies in them is installed and started by itself.

    ``installed`` are the import names, as far as they can be told from the names of distributions, that the project
    declares or locks as dependencies: what is its ``own``, by the names of its distributions, is not among them.
    """

    folders: frozenset[str]
    projects: frozenset[str]
    declared: dict[str, frozenset[str]]
    installed: frozenset[str]
    own: frozenset[str]
    started: frozenset[str]


def read_roots(tree: Tree) -> Roots:
    """The roots of ``tree``, from its configuration; unreadable files say nothing."""
    reader = _Reader(tree)
    for path in sorted(tree.paths):
        reader.file(path)
    own = {normal(name) for name in reader.own}
    installed: set[str] = set()
    for name in reader.dependencies:
        if normal(name) not in own:
            installed.update(import_names(name))
    folders = tree.folders
    started = frozenset(reader.started - set(reader.declared))
    for root in reader.started:
        reader.declared.setdefault(root, set()).add(root)
    for user, used in reader.beside():
        for owners in reader.declared.values():
            if used in owners:
                owners.add(user)
    declared = {root: frozenset(owners) for root, owners in reader.declared.items() if root in folders}
    implied = {f for f in reader.implied if f in folders}
    return Roots(frozenset(implied.union(declared)), frozenset(reader.projects), declared, frozenset(installed),
                 frozenset(own), started)


def normal(name: str) -> str:
    """The name of a distribution as it compares (PEP 503), with underscores."""
    return re.sub(r"[-_.]+", "_", name).lower()


def import_names(distribution: str) -> set[str]:
    """Names under which ``distribution`` may be imported, as far as its own name tells."""
    name = normal(distribution)
    found = {name, name.split("_")[0]} if "_" in name else {name}
    for prefix in ("python_", "py_", "py", "django_", "flask_", "types_"):
        if name.startswith(prefix) and len(name) > len(prefix) + 1:
            found.update((name[len(prefix) :], name[len(prefix) :].split("_")[0]))
    for suffix in ("_python", "_py", "py", "_binary", "_client", "_sdk"):
        if name.endswith(suffix) and len(name) > len(suffix) + 1:
            found.add(name[: -len(suffix)])
    return found - {"django", "flask", "python", "py", "types"} | {name}


_SAYS_ROOTS = regex(
    rb"^[ \t]*(?:name|install_requires|where|package_dir|pythonpath|python_paths|mypy_path)[ \t]*[=:]|extras_require",
    re.M | re.I,
)
"""What an ini file holds where it says something of roots: most tell other tools other things."""


class _Reader:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.declared: dict[str, set[str]] = {}
        self.started: set[str] = set()
        self.implied: set[str] = {""}
        self.projects: set[str] = set()
        self.dependencies: set[str] = set()
        self.own: set[str] = set()
        self.named: dict[str, str] = {}
        self.sources: set[str] = set()
        self.members: list[str] = []
        self.needs: dict[str, set[str]] = {}
        self.paths: dict[str, set[str]] = {}

    def beside(self) -> list[tuple[str, str]]:
        """Pairs of projects of the repository, as folders: the first is installed with the second as it stands there,
        because a workspace or a path says so."""
        sources = self.sources | {name for name, folder in self.named.items()
                                  if any(fnmatchcase(folder, pattern) for pattern in self.members)}
        near = {folder: {self.named[name] for name in names & sources if name in self.named} | self.paths.get(
            folder, set()) for folder, names in self.needs.items()}
        pairs = []
        for folder in near:
            seen, waiting = {folder}, [folder]
            while waiting:
                fresh = near.get(waiting.pop(), set()) - seen
                seen |= fresh
                waiting += fresh
            pairs += [(folder, other) for other in sorted(seen - {folder})]
        return pairs

    def file(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if name.endswith(".py"):
            if name == "setup.py":
                self.setup_py(folder, self.read(path))
            elif name == "conftest.py" and f"{folder}/__init__.py".lstrip("/") not in self.tree.paths:
                self.implied.add(folder)
            elif name != "manage.py":
                return
        if name in _MARKERS or name.startswith("Dockerfile") or name.endswith("Dockerfile"):
            self.implied.update((folder, _join(folder, "src")))
            if name not in _TEST_SETTINGS and not _SIDE.search(folder):
                self.projects.add(folder)
            if name == "manage.py":
                self.started.add(folder)
            elif name in ("pyproject.toml", "setup.py", "setup.cfg"):
                self.place(folder, ["src"])
        if name == "pyproject.toml":
            self.pyproject(folder, self.read(path))
        elif name in ("setup.cfg", "pytest.ini", "tox.ini"):
            self.ini(folder, self.read(path))
        elif name in ("poetry.lock", "uv.lock", "pdm.lock", "pylock.toml"):
            self.dependencies.update(m.decode() for m in _LOCKED.findall(self.read(path)))
        elif name == "Pipfile.lock":
            self.dependencies.update(m.decode() for m in re.findall(rb'^ {8}"([\w.-]+)": \{', self.read(path), re.M))
        elif name == "Pipfile":
            for section in ("packages", "dev-packages"):
                self.dependencies.update(_mapping(self.toml(self.read(path)).get(section)))
        elif name.endswith((".txt", ".in", ".pip")) and ("require" in path or "constraint" in name):
            self.requirements(self.read(path).decode("utf-8", "replace").splitlines())
        elif name in ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml"):
            lines = self.read(path).decode("utf-8", "replace").splitlines()
            self.requirements([line.strip().lstrip("- ") for line in lines if line.strip().startswith("-")])
        if "docker" in name.lower() or "compose" in name or name in ("Procfile", "Makefile", ".env", "justfile"):
            data = self.read(path)
            self.pythonpath(folder, data)
            self.started.update(run_roots(self.tree, path, data))
            self.dependencies.update(installed_by(data))

    def read(self, path: str) -> bytes:
        return self.tree.read(path) or b""

    def toml(self, data: bytes) -> dict[str, Any]:
        try:
            return tomllib.loads(data.decode("utf-8", "replace"))
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}

    def requirements(self, lines: list[str]) -> None:
        for line in lines:
            if "egg=" in line:
                line = line.rsplit("egg=", 1)[1].split("&")[0]
            if (found := _REQUIREMENT.match(line)) and not line[found.end() :].startswith(("+", ":")):
                self.dependencies.add(found[1])

    # -- configuration files --------------------------------------------------------------------------------------

    def pyproject(self, folder: str, data: bytes) -> None:
        document = self.toml(data)
        project, tool = _table(document, "project"), _table(document, "tool")
        poetry, setuptools = _table(tool, "poetry"), _table(tool, "setuptools")
        for name in (project.get("name"), poetry.get("name")):
            if isinstance(name, str):
                self.own.add(name)
                self.named[normal(name)] = folder
        wanted = list(_texts(project.get("dependencies")))
        for group in (*_mapping(project.get("optional-dependencies")).values(),
                      *_mapping(document.get("dependency-groups")).values(),
                      *_mapping(_table(tool, "pdm").get("dev-dependencies")).values(),
                      _table(tool, "uv").get("dev-dependencies")):
            wanted += _texts(group)
        self.requirements(wanted)
        self.needs[folder] = {normal(found[1]) for line in wanted if (found := _REQUIREMENT.match(line.strip()))}
        for name, source in _mapping(_table(tool, "uv").get("sources")).items():
            if isinstance(source, dict) and (source.get("workspace") or isinstance(source.get("path"), str)):
                self.sources.add(normal(name))
        for workspace in (_table(tool, "uv", "workspace"), _table(tool, "rye", "workspace")):
            self.members += [_join(folder, pattern) for pattern in _texts(workspace.get("members"))]
        poetry_groups = [poetry, *_mapping(poetry.get("group")).values()]
        for source in (s for group in poetry_groups for s in _mapping(_table(group, "dependencies")).values()):
            if isinstance(source, dict) and isinstance(source.get("path"), str):
                self.paths.setdefault(folder, set()).add(_join(folder, source["path"]))
        self.dependencies.update(_mapping(poetry.get("dependencies")))
        self.dependencies.update(_mapping(poetry.get("dev-dependencies")))
        for group in _mapping(poetry.get("group")).values():
            self.dependencies.update(_mapping(_table(group, "dependencies")))

        places: list[str] = []
        places += [v for v in _mapping(setuptools.get("package-dir")).values() if isinstance(v, str)]
        places += _texts(_table(setuptools, "packages", "find").get("where"))
        for package in poetry.get("packages") or ():
            if isinstance(package, dict):
                places.append(str(package.get("from", "")))
        build = _table(tool, "hatch", "build")
        for target in (build, *_mapping(build.get("targets")).values()):
            if isinstance(target, dict):
                sources = target.get("sources")
                places += [k for k, v in sources.items() if v == ""] if isinstance(sources, dict) else _texts(sources)
                places += [posixpath.dirname(p.rstrip("/")) for p in _texts(target.get("packages"))]
        places += _texts(_table(tool, "pdm", "build").get("package-dir"))
        places += _texts(_table(tool, "uv", "build-backend").get("module-root"))
        places += _texts(_table(tool, "maturin").get("python-source"))
        places += _texts(_table(tool, "pytest", "ini_options").get("pythonpath"))
        places += _texts(_table(tool, "pyright").get("extraPaths"))
        places += _texts(_table(tool, "mypy").get("mypy_path"))
        self.place(folder, places)

    def ini(self, folder: str, data: bytes) -> None:
        if not _SAYS_ROOTS.search(data):
            return
        import configparser

        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(data.decode("utf-8", "replace"))
        except configparser.Error:
            return
        def get(section: str, key: str) -> str:
            return parser.get(section, key, fallback="")

        if name := get("metadata", "name"):
            self.own.add(name.strip())
        self.requirements(get("options", "install_requires").splitlines())
        if parser.has_section("options.extras_require"):
            for _, lines in parser.items("options.extras_require"):
                self.requirements(lines.splitlines())
        places = [get("options.packages.find", "where").strip()]
        places += [line.split("=", 1)[1].strip() for line in get("options", "package_dir").splitlines() if "=" in line]
        for section in ("pytest", "tool:pytest"):
            places += get(section, "pythonpath").split()
            places += get(section, "python_paths").split()
        places += get("mypy", "mypy_path").replace(":", ",").split(",")
        self.place(folder, [p for p in places if p])

    def setup_py(self, folder: str, data: bytes) -> None:
        if found := _SETUP_NAME.search(data):
            self.own.add(found[1].decode())
        places = []
        for found in _SETUP_PACKAGE_DIR.finditer(data):
            places += [pair[1].decode() for pair in _QUOTED_PAIR.findall(found[1] or b"")]
            places += [p.decode() for p in (found[2], found[3]) if p]
        self.place(folder, places)
        _, keyword, rest = data.partition(b"requires")
        if keyword:
            self.dependencies.update(m.decode() for m in _CALL_STRINGS.findall(rest))

    def pythonpath(self, folder: str, data: bytes) -> None:
        for found in _PYTHONPATH.finditer(data):
            for part in re.split(r"[:;]", found[1].decode("utf-8", "replace")):
                part = re.sub(r"^(?:\$\{?\w+\}?|%\w+%)/?", "", part).strip("/")
                for start in _tails(part):
                    if _join(folder, start) in self.tree.folders:
                        self.place(folder, [start])
                        break

    def place(self, folder: str, places: list[str]) -> None:
        for place in places:
            self.declared.setdefault(_join(folder, place), set()).add(folder)


def _tails(path: str) -> Iterator[str]:
    """``app/src/lib``, ``src/lib``, ``lib``: a path in an image, and what of it may be a path in the repository."""
    parts = [p for p in path.split("/") if p]
    for i in range(len(parts)):
        yield "/".join(parts[i:])


def _join(folder: str, place: str) -> str:
    path = posixpath.normpath(posixpath.join(folder, place))
    return "" if path == "." else path


def _table(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
