"""What a Python import means: which file, and whether that file binds the names that are taken from it.

Lines are looked at first (`languages.python.outline.scan`), which settles nearly everything; a file is parsed only
where a name or module seems to be missing, the importing file as well as its target. Nothing is read but through the
tree, and installed packages are never asked: what is not a module of the project is `Unknown`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cached_property

from connlint.languages.python.imports import FileImports, Imported, read_imports
from connlint.languages.python.outline import IMPLICIT, PUTS_MODULES, ImportLine, Outline, Scan, outline, scan, scan_imports
from connlint.languages.python.syntax import parse
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.linker import ImportUse, UsedName
from connlint.project.python_roots import Roots, read_roots
from connlint.project.tree import Tree

_STDLIB = frozenset(sys.stdlib_module_names) | {"asyncore", "distutils", "imp", "telnetlib", "tomllib", "compression"}
_SHADOWED = {"test"}
"""Parts of the standard library that projects use as names of their own, and that nobody imports from it."""
_GENERATED = re.compile(
    r"(?:_pb2|_pb2_grpc|_pb2_twirp|_grpc|_ui|_rc|_thrift)$|^(?:_?version|__version__|_?generated|_build_info)$"
)
_GENERATED_FOLDER = re.compile(r"(?:^|/)(?:_*generated_*|_*gen_*|autogen\w*)/")
_NATIVE = (".pyx", ".rs", ".c", ".cc", ".cpp", ".cxx", ".cu", ".f90")
_BUILDS_NATIVE = re.compile(rb"\bExtension\(|ext_modules|cffi_modules|maturin|scikit-build|meson-python|setuptools-rust")
_BINARY = (".so", ".pyd", ".pyx", ".pyi", ".dll", ".c", ".cpp", ".rs", ".pxd", ".ipynb")
_SURELY = 20
"""Found imports of a top-level name after which nobody doubts any more whose it is."""


@dataclass(slots=True)
class Stand:
    """Where a top-level name stands: below ``root``. ``regular`` is a module or a package with ``__init__.py``."""

    root: str
    regular: bool


class PythonLinker:
    """Resolution and outlines of Python. Implements `connlint.project.linker.Linker`."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._resolved: dict[tuple[str, str], Answer] = {}
        self._walked: dict[tuple[str, str], str | None] = {}
        self._scans: dict[str, Scan | None] = {}
        self._outlines: dict[str, Outline] = {}
        self._trust: dict[tuple[str, str], bool] = {}
        self._lines: dict[str, list[ImportLine]] = {}

    # -- what the project holds -----------------------------------------------------------------------------------

    @cached_property
    def roots(self) -> Roots:
        """The roots that the project's configuration declares."""
        return read_roots(self.tree)

    @cached_property
    def python_files(self) -> list[str]:
        """Every Python file, in order."""
        return sorted(path for path in self.tree.paths if path.endswith(".py"))

    @cached_property
    def tops(self) -> dict[str, list[Stand]]:
        """Every name that some folder of the project would offer as a top-level module."""
        found: dict[str, dict[str, bool]] = {}
        folders: set[str] = set()
        for path in self.python_files:
            folder, _, name = path.rpartition("/")
            folders.add(folder)
            if name == "__init__.py":
                if folder:
                    root, _, top = folder.rpartition("/")
                    found.setdefault(top, {})[root] = True
            else:
                found.setdefault(name[:-3], {})[folder] = True
        for folder in list(folders):
            while folder:
                root, _, top = folder.rpartition("/")
                found.setdefault(top, {}).setdefault(root, False)
                folder = root
        return {top: [Stand(root, found[top][root]) for root in sorted(found[top])] for top in found}

    # -- modules --------------------------------------------------------------------------------------------------

    def resolve(self, path: str, module: str) -> Answer:
        """The file that ``module``, imported by the file ``path``, means; see `Linker.resolve`."""
        folder = path.rpartition("/")[0]
        key = (folder, module)
        answer = self._resolved.get(key)
        if answer is None:
            answer = self._relative(folder, module) if module.startswith(".") else self._absolute(path, folder, module)
            self._resolved[key] = answer
        if type(answer) is Unknown and answer.why == "on no path that is known" and self._moves_path(path):
            return self._anywhere(module) or answer
        return answer

    def _relative(self, folder: str, module: str) -> Answer:
        name = module.lstrip(".")
        base = folder
        for _ in range(len(module) - len(name) - 1):
            if not base:
                return Unknown("above the project")
            base = base.rpartition("/")[0]
        if not name:
            init = f"{base}/__init__.py" if base else "__init__.py"
            return Found(init) if init in self.tree.paths else Found(f"{base}/")
        found = self._walk(base, name)
        if found is not None:
            return Found(found)
        if why := self._open_on_the_way(base, name):
            return Unknown(why)
        return self._missing(base, name)

    def _absolute(self, path: str, folder: str, module: str) -> Answer:
        top = module.partition(".")[0]
        stands = self.tops.get(top)
        if not stands:
            return Unknown("installed")
        if top in _STDLIB and top not in _SHADOWED:
            return Unknown("standard library")
        reachable = self._reachable(folder, stands)
        for stand in reachable:
            if (found := self._walk(stand.root, module)) is not None:
                if top in self.roots.installed and not self._is_ours(path, stand, top):
                    return Unknown("may be installed")
                return Found(found)
        if any(self._walk(stand.root, module) is not None for stand in stands):
            return Unknown("on no path that is known")
        if not reachable:
            return Unknown("installed")
        ours = next((stand for stand in reachable if self._is_ours(path, stand, top)), None)
        if ours is None:
            return Unknown("may be installed")
        for stand in stands:
            if why := self._open_on_the_way(stand.root, module):
                return Unknown(why)
        return self._missing(ours.root, module)

    def _reachable(self, folder: str, stands: list[Stand]) -> list[Stand]:
        """The stands that a file in ``folder`` may import from: of the folders above it, the nearest first, then of
        declared roots. A folder inside a package is no root, except for scripts that lie in it."""
        above = {folder: 0, "": folder.count("/") + 2}
        at, depth = folder, 0
        while at:
            at, depth = at.rpartition("/")[0], depth + 1
            above[at] = depth
        near = [s for s in stands if s.root in above]
        if len(near) == len(stands) == 1 and not near[0].root:
            return near
        known = self.roots.folders
        near = [s for s in near if s.root in known or self._in_package(s.root) or not self._is_package(s.root)]
        near.sort(key=lambda s: (self._in_package(s.root), above[s.root]))
        return near + [s for s in stands if s.root not in above and s.root in known]

    def _in_package(self, folder: str) -> bool:
        return bool(folder) and f"{folder}/__init__.py" in self.tree.paths

    def _own_package(self, folder: str) -> tuple[str, str]:
        """The root and name of the regular package that ``folder`` is in; ("", "") where it is in none."""
        found = ("", "")
        while folder and f"{folder}/__init__.py" in self.tree.paths:
            root, _, name = folder.rpartition("/")
            found = (root, name)
            folder = root
        return found

    def _walk(self, base: str, module: str) -> str | None:
        """The file of the dotted ``module`` below the folder ``base``; a folder with a slash behind where it is a
        namespace package."""
        key = (base, module)
        if key not in self._walked:
            self._walked[key] = self._step(base, module)
        return self._walked[key]

    def _step(self, base: str, module: str) -> str | None:
        stem = (f"{base}/" if base else "") + module.replace(".", "/")
        paths = self.tree.paths
        if f"{stem}/__init__.py" in paths:
            return f"{stem}/__init__.py"
        if f"{stem}.py" in paths:
            return f"{stem}.py"
        return f"{stem}/" if stem in self.tree.folders else None

    def _anywhere(self, module: str) -> Answer | None:
        """For files that change ``sys.path``: the one place where ``module`` is."""
        found = [f for s in self.tops[module.partition(".")[0]] if (f := self._walk(s.root, module)) is not None]
        return Found(found[0]) if len(found) == 1 else None

    def _moves_path(self, path: str) -> bool:
        return b"sys.path" in (self.tree.read(path) or b"")

    def _missing(self, root: str, module: str) -> Missing:
        """What is known of a module that does not exist: where it would be, and what is like it there."""
        import difflib

        stem = (f"{root}/" if root else "") + module.replace(".", "/")
        folder, _, name = stem.rpartition("/")
        siblings = self._submodules(folder)
        near = difflib.get_close_matches(name, sorted(siblings), 1, 0.75)
        head = module[: len(module) - len(name)]
        return Missing("no such file", (f"{stem}.py", f"{stem}/__init__.py"), head + near[0] if near else None)

    def _submodules(self, folder: str) -> set[str]:
        start = f"{folder}/" if folder else ""
        found = set()
        for path in self.python_files:
            if path.startswith(start):
                head, slash, rest = path[len(start) :].partition("/")
                if slash:
                    found.add(head)
                elif head != "__init__.py":
                    found.add(head[:-3])
        return found

    # -- doubts ---------------------------------------------------------------------------------------------------

    def _open_on_the_way(self, base: str, module: str) -> str | None:
        """Why ``module`` may come into being below ``base`` although no file of the project is it."""
        parts = module.split(".")
        if any(_GENERATED.search(part) for part in parts) or _GENERATED_FOLDER.search(f"{base}/{'/'.join(parts)}"):
            return "generated"
        stem = base
        for i, part in enumerate(parts):
            parent = stem
            stem = f"{stem}/{part}" if stem else part
            for package in (f"{parent}/__init__.py".lstrip("/"), f"{parent}.py"):
                if package in self.tree.paths and i + bool(base) > 0 and (why := self._makes_modules(package)):
                    return why
            if stem in self.tree.folders:
                continue
            if stem in self.tree.paths:
                return "a symbolic link"
            if f"{stem}.py" in self.tree.paths:
                continue
            if any(f"{stem}{end}" in self.tree.paths for end in _BINARY) or stem + "." in self._compiled_prefixes:
                return "compiled"
            if (part.startswith("_") and self._native) or part in self._native:
                return "compiled"
            break
        if self._is_put_in(stem, "" if base or len(parts) > 1 else module):
            return "put into sys.modules"
        if self._built_elsewhere(stem):
            return "made by a build"
        for candidate in (f"{stem}.py", stem, f"{stem}/__init__.py"):
            if self.tree.exists(candidate):
                return "there, but not part of the project"
            if self.tree.ignored(candidate):
                return "ignored, so it may be made by a build"
        return None

    def _makes_modules(self, path: str) -> str | None:
        """Why submodules of the package or module ``path`` need no file."""
        data = self.tree.read(path)
        if data is None:
            return "unreadable"
        for word in (b"__path__", b"extend_path", b"declare_namespace", b"meta_path", b"sys.path_hooks"):
            if word in data:
                return word.decode()
        return "sys.modules" if PUTS_MODULES.search(data) else None

    @cached_property
    def _compiled_prefixes(self) -> frozenset[str]:
        """``folder/name.`` of every extension module (``name.cpython-311-x86_64-linux-gnu.so``)."""
        return frozenset(
            p[: p.index(".", p.rfind("/") + 1) + 1] for p in self.tree.paths if p.endswith((".so", ".pyd"))
        )

    @cached_property
    def _native(self) -> frozenset[str]:
        """The names of files in compiled languages, of which a build may make modules; not empty where it does."""
        found = {p.rpartition("/")[2].rpartition(".")[0] for p in self.tree.paths if p.endswith(_NATIVE)}
        if not found and _BUILDS_NATIVE.search(self._build_files):
            found.add("_native")
        return frozenset(found)

    @cached_property
    def _put_in(self) -> frozenset[str]:
        """Every dotted text in files that change ``sys.modules``, where modules are made without a file of their own."""
        found: set[bytes] = set()
        for path in self.python_files:
            data = self._read(path)
            if b"sys" in data and PUTS_MODULES.search(data):
                found.update(re.findall(rb"[\"']([\w.]+)[\"']", data))
        return frozenset(name.decode("utf-8", "replace") for name in found)

    def _is_put_in(self, stem: str, top: str) -> bool:
        """Whether some file makes the module at ``stem`` without a file; ``top`` is "" for what has a package above."""
        dotted = "." + stem.replace("/", ".") + "."
        return top in self._put_in or any("." in name and f".{name}." in dotted for name in self._put_in)

    @cached_property
    def _build_files(self) -> bytes:
        names = ("setup.py", "pyproject.toml", "setup.cfg", "CMakeLists.txt", "Makefile", "meson.build", "Cargo.toml",
                 "build.rs", "justfile", "BUILD", "BUILD.bazel", "hatch_build.py", ".dockerignore", "MANIFEST.in")
        found = []
        for path in sorted(self.tree.paths):
            name = path.rpartition("/")[2]
            if name in names or name.endswith("Dockerfile") or name.startswith(("Dockerfile", ".gitignore")):
                found.append(self.tree.read(path) or b"")
        return b"\n".join(found)

    def _built_elsewhere(self, stem: str) -> bool:
        """Whether a build file names the module (``package.module``, ``package/module`` or ``module.so``)."""
        parts = stem.split("/")[-2:]
        last = re.escape(parts[-1].encode())
        pattern = rb"\b" + last + rb"\.(?:so|pyd|pyx)\b"
        if len(parts) == 2:
            pattern += rb"|\b" + re.escape(parts[0].encode()) + rb"[./]" + last + rb"\b"
        return re.search(pattern, self._build_files) is not None

    def _is_ours(self, path: str, stand: Stand, top: str) -> bool:
        """Whether ``top``, imported by ``path``, is surely the project's at ``stand`` and not an installed package."""
        folder = path.rpartition("/")[0]
        roots = self.roots
        own = stand.regular and self._own_package(folder) == (stand.root, top)
        if not _is_below(folder, stand.root):
            # A root elsewhere holds for the projects that declare it, and for no others of the same repository
            if not any(_is_below(folder, owner) for owner in roots.declared.get(stand.root, ())):
                return False
        if top in roots.installed:
            return own and stand.root in roots.folders and self._is_trusted(stand.root, top)
        if stand.regular:
            if stand.root in roots.declared or (stand.root in roots.folders and (own or roots.installed)):
                return True
            if stand.root == folder and not self._in_package(folder) and not self._is_package(folder):
                return True
        return self._is_trusted(stand.root, top)

    def _is_package(self, folder: str) -> bool:
        """Whether a folder without ``__init__.py`` is used as a package: by name, or by relative imports in it."""
        parts = folder.split("/")
        if any(".".join(parts[i:]) in self._imported_packages for i in range(len(parts))):
            return True
        return any(line.module.startswith(".") for path in self._files_in(folder) for line in self._import_lines(path))

    def _files_in(self, folder: str) -> list[str]:
        start = f"{folder}/" if folder else ""
        return [p for p in self.python_files if p.startswith(start) and "/" not in p[len(start) :]]

    def _is_trusted(self, root: str, top: str) -> bool:
        """Whether the imports of ``top`` in the project are mostly answered by what stands below ``root``."""
        key = (root, top)
        if key not in self._trust:
            self._trust[key] = True
            self._trust[key] = self._count(root, top)
        return self._trust[key]

    @cached_property
    def _absolute_imports(self) -> dict[str, list[tuple[str, ImportLine]]]:
        """Every absolute import of something that could be the project's own, by its top-level name."""
        found: dict[str, list[tuple[str, ImportLine]]] = {}
        for path in self.python_files:
            for line in self._import_lines(path):
                top = line.module.partition(".")[0]
                if top in self.tops:
                    found.setdefault(top, []).append((path, line))
        return found

    @cached_property
    def _imported_packages(self) -> frozenset[str]:
        """Every dotted name below which something is imported."""
        found: set[str] = set()
        for lines in self._absolute_imports.values():
            for module in {line.module for _, line in lines}:
                while "." in module:
                    module = module.rpartition(".")[0]
                    found.add(module)
        return frozenset(found)

    def _count(self, root: str, top: str) -> bool:
        found = missing = 0
        others = [stand.root for stand in self.tops[top] if stand.root != root]
        for path, line in self._absolute_imports.get(top, ()):
            if not _is_below(path, root):
                continue
            target = self._walk(root, line.module)
            if target is None:
                missing += all(self._walk(other, line.module) is None for other in others)
            elif line.names:
                known = sum(self._has(target, name) for name, _, _ in line.names)
                found += known
                missing += len(line.names) - known
            elif "." in line.module:
                found += 1
            if found >= _SURELY and found > 4 * missing:
                return True
        return found > 0 and found >= missing

    # -- names ----------------------------------------------------------------------------------------------------

    def _scan(self, path: str) -> Scan | None:
        if path not in self._scans:
            data = self.tree.read(path)
            self._scans[path] = None if data is None else scan(data, self._import_lines(path, data))
        return self._scans[path]

    def _import_lines(self, path: str, data: bytes | None = None) -> list[ImportLine]:
        found = self._lines.get(path)
        if found is None:
            found = self._lines[path] = scan_imports(self._read(path) if data is None else data)
        return found

    def _has(self, target: str, name: str, depth: int = 0) -> bool:
        """Whether the lines of ``target`` show ``name``, or a file next to them does. False settles nothing."""
        if target.endswith("/"):
            return self._walk(target[:-1], name) is not None
        lines = self._scan(target)
        if lines is None or name in lines.names or name in IMPLICIT:
            return True
        if target.endswith("__init__.py") and self._walk(target[: -len("/__init__.py")], name) is not None:
            return True
        if depth < 6:
            for star in lines.stars:
                answer = self.resolve(target, star)
                if type(answer) is Found and answer.path != target and self._shows(answer.path, name, depth + 1):
                    return True
        return False

    def _shows(self, target: str, name: str, depth: int) -> bool:
        """Whether a star import of ``target`` plainly brings ``name``."""
        lines = None if target.endswith("/") else self._scan(target)
        if lines is None or lines.public is None:
            return not name.startswith("_") and self._has(target, name, depth)
        return name in lines.public

    def _outline(self, path: str) -> Outline:
        found = self._outlines.get(path)
        if found is None:
            data = self.tree.read(path)
            tree = None if data is None else parse(data)
            found = Outline(open="unreadable") if tree is None else outline(tree)
            if found.open is None and self._stubbed(path):
                found.open = "a stub or a compiled module stands beside it"
            self._outlines[path] = found
        return found

    def _stubbed(self, path: str) -> bool:
        stem = path[:-3]
        return any(stem + end in self.tree.paths for end in _BINARY) or stem + "." in self._compiled_prefixes

    def _defines(self, target: str, name: str, seen: frozenset[str] = frozenset()) -> bool | str:
        """Whether the module ``target`` binds ``name``; a text says why that cannot be known."""
        if self._has(target, name):
            return True
        if target.endswith("/"):
            return self._open_on_the_way(target[:-1], name) or False
        found = self._outline(target)
        if name in found.names:
            return True
        if found.open:
            return found.open
        if _GENERATED.search(target.rpartition("/")[2][:-3]) or _GENERATED_FOLDER.search(target):
            return "generated"
        for star in found.stars:
            answer = self.resolve(target, star)
            if not isinstance(answer, Found):
                return "a star import that cannot be followed"
            if answer.path in seen or answer.path == target:
                continue
            inner = self._through_star(answer.path, name, seen | {target})
            if inner is not False:
                return inner
        if target.endswith("/__init__.py"):
            return self._open_on_the_way(target[: -len("/__init__.py")], name) or False
        return False

    def _through_star(self, target: str, name: str, seen: frozenset[str]) -> bool | str:
        if target.endswith("/"):
            return False
        found = self._outline(target)
        if not found.public_is_static:
            return "__all__ is computed"
        if found.public is not None:
            return (name in found.public) or (found.open or False)
        if name.startswith("_"):
            return found.open or False
        return self._defines(target, name, seen)

    def binds(self, target: str, name: str) -> Answer:
        """Whether the module file ``target`` binds ``name`` once it has been loaded, whoever asks."""
        defined = self._defines(target, name)
        if defined is True:
            return Found(self._source(target, name))
        if isinstance(defined, str):
            return Unknown(defined)
        return Unknown("set from another module") if self._set_from_outside(target, name) else self._lacks(target, name)

    def may_appear(self, base: str, module: str) -> str | None:
        """Why ``module`` may come into being below the folder ``base`` although no file of the project is it."""
        return self._open_on_the_way(base, module)

    def lookup(self, path: str, use: ImportUse, name: str) -> Answer:
        """Whether the module of ``use``, seen from ``path``, defines ``name``; see `Linker.lookup`."""
        target = self.resolve(path, use.module)
        if not isinstance(target, Found):
            return target if isinstance(target, Unknown) else Unknown("no such module")
        defined = self._defines(target.path, name)
        if defined is True:
            return Found(self._source(target.path, name))
        if isinstance(defined, str):
            return Unknown(defined)
        if not use.module.startswith(".") and not self._surely_ours(path, use.module, target.path):
            return Unknown("may be installed")
        if self._set_from_outside(target.path, name):
            return Unknown("set from another module")
        return self._lacks(target.path, name)

    def _surely_ours(self, path: str, module: str, target: str) -> bool:
        top = module.partition(".")[0]
        stands = self._reachable(path.rpartition("/")[0], self.tops.get(top, []))
        if any(self._walk(stand.root, module) not in (target, None) for stand in self.tops.get(top, [])):
            return False
        return any(self._is_ours(path, stand, top) for stand in stands)

    def _set_from_outside(self, target: str, name: str) -> bool:
        """Whether some file sets ``name`` on the module ``target``: ``settings.name = …``, ``setattr``, a patch."""
        module = target.rstrip("/").removesuffix("/__init__.py").rpartition("/")[2].removesuffix(".py")
        word = re.escape(name.encode())
        sets = re.compile(rb"^[ \t]*([\w.]+)\." + word + rb"[ \t]*(?::[^=\n]*)?=(?!=)", re.M)
        calls = re.compile(rb"(?:setattr|object)\([ \t\r\n]*[\w.]+,[ \t\r\n]*[\"']" + word + rb"[\"']"
                           rb"|\." + re.escape(module.encode()) + rb"\." + word + rb"[\"'][^\n]*create[ \t]*=[ \t]*True")
        needle = name.encode()
        for path in self.python_files:
            data = self._read(path)
            if needle not in data:
                continue
            if calls.search(data):
                return True
            for found in sets.finditer(data):
                first, _, last = found[1].decode("utf-8", "replace").rpartition(".")
                if last == module or (not first and self._is_name_of(path, last, module)):
                    return True
        return False

    def _is_name_of(self, path: str, local: str, module: str) -> bool:
        """Whether ``path`` imports something called ``module`` under the name ``local``."""
        for line in self._import_lines(path):
            if line.local == local and line.module.rpartition(".")[2] == module:
                return True
            if any(bound == local and name == module for name, bound, _ in line.names):
                return True
        return False

    def _read(self, path: str) -> bytes:
        return self.tree.read(path) or b""

    def _source(self, target: str, name: str, depth: int = 0) -> str:
        """The file in which ``name``, as ``target`` offers it, is defined, as far as the lines show it."""
        if target.endswith("/"):
            return self._walk(target[:-1], name) or target
        lines = self._scan(target)
        if lines is None or depth > 6:
            return target
        for line in self._import_lines(target):
            if line.indented:
                continue
            for original, local, _ in line.names:
                if local == name:
                    answer = self.resolve(target, line.module)
                    if isinstance(answer, Found) and answer.path != target and self._has(answer.path, original):
                        return self._source(answer.path, original, depth + 1)
                    return target
        if name in lines.names:
            return target
        if target.endswith("/__init__.py") and (found := self._walk(target[: -len("/__init__.py")], name)):
            return found
        for star in lines.stars:
            answer = self.resolve(target, star)
            if isinstance(answer, Found) and answer.path != target and self._has(answer.path, name):
                return self._source(answer.path, name, depth + 1)
        return target

    def _lacks(self, target: str, name: str) -> Missing:
        import difflib

        names = self._submodules(target[:-1]) if target.endswith("/") else set(self._outline(target).names)
        if target.endswith("__init__.py"):
            names |= self._submodules(target.rpartition("/")[0])
        near = difflib.get_close_matches(name, sorted(n for n in names if not n.startswith("__")), 1, 0.75)
        return Missing("not defined", tuple(self._definers(name)), near[0] if near else None)

    @cached_property
    def _defined_in(self) -> dict[str, list[str]]:
        """Name → the files at whose top level a function, class or variable of this name is defined."""
        found: dict[str, list[str]] = {}
        for path in self.python_files:
            lines = self._scan(path)
            if lines is not None:
                imports = self._import_lines(path)
                bound = {line.local for line in imports} | {n[1] for line in imports for n in line.names}
                for name in lines.names - bound:
                    found.setdefault(name, []).append(path)
        return found

    def _definers(self, name: str) -> list[str]:
        return self._defined_in.get(name, [])[:5]

    # -- imports --------------------------------------------------------------------------------------------------

    def imports(self, path: str, data: bytes) -> list[ImportUse]:
        """Every import of the file. Where everything is plainly there, as the lines show it; else from the tree."""
        lines = self._import_lines(path, data)
        if self._settled(path, data, lines):
            return [_as_use(line) for line in lines]
        tree = parse(data)
        if tree is None:
            return []
        return self._exact(path, read_imports(tree, data))

    def _settled(self, path: str, data: bytes, imports: list[ImportLine]) -> bool:
        modules: list[tuple[str, str]] = []
        for line in imports:
            answer = self.resolve(path, line.module)
            if type(answer) is Missing:
                return False
            if type(answer) is not Found:
                continue
            target = answer.path
            for name, local, _ in line.names:
                if name == "*":
                    continue
                if self._defines(target, name) is False:
                    return False
                if not target.endswith(".py") or target.endswith("__init__.py"):
                    inner = self._module_member(target, name)
                    if inner is not None:
                        modules.append((local, inner))
            if line.local is not None and ("." not in line.module or line.local != line.module.split(".")[0]):
                modules.append((line.local, target))
        for local, target in modules:
            for used in set(re.findall(rb"(?<![\w.\x80-\xff])" + local.encode() + rb"\.([\w\x80-\xff]+)", data)):
                if self._defines(target, used.decode("utf-8", "replace")) is False:
                    return False
        return True

    def _module_member(self, target: str, name: str) -> str | None:
        """The module that ``from target import name`` binds, where it is a module and nothing else can be meant."""
        folder = target[:-1] if target.endswith("/") else target.rpartition("/")[0]
        inner = self._walk(folder, name)
        if inner is None:
            return None
        if not target.endswith("/"):
            lines = self._scan(target)
            if lines is None or name in lines.names or lines.stars:
                return None
        return inner

    def _exact(self, path: str, found: FileImports) -> list[ImportUse]:
        uses = []
        for one in found.imports:
            names = tuple(UsedName(name, at) for name, _, at in one.names if name != "*")
            breaks = "use" if one.around.later else "import"
            uses.append(ImportUse(one.module, one.module_at, names, one.around.excused, breaks))
            if one.around.excused is None:
                uses += self._members(path, one, found)
        return uses

    def _members(self, path: str, one: Imported, found: FileImports) -> list[ImportUse]:
        """What the file takes from the modules that ``one`` binds, as uses of these modules."""
        answer = self.resolve(path, one.module)
        if type(answer) is not Found:
            return []
        bound: list[tuple[str, str]] = []
        if not one.names and one.local is not None:
            bound.append((one.local, one.module))
        for name, local, _ in one.names:
            if name != "*" and self._module_member(answer.path, name) is not None:
                dot = "" if one.module.endswith(".") else "."
                bound.append((local, f"{one.module}{dot}{name}"))
        uses = []
        for base, module in bound:
            first = base.split(".")[0]
            if base in found.probed or (found.bound[first] != 1 and not self._rebound_alike(one, found, first)):
                continue
            names = tuple(
                UsedName(m.name, m.at, in_import=False) for m in found.members if m.base == base and m.excused is None
            )
            if names:
                uses.append(ImportUse(module, one.module_at, names, None, "use"))
        return uses

    @staticmethod
    def _rebound_alike(one: Imported, found: FileImports, first: str) -> bool:
        """Whether every other binding of ``first`` is an ``import first.…`` too, which all mean the same package."""
        alike = sum(1 for i in found.imports if not i.names and i.local and i.local.split(".")[0] == first
                    and i.module.split(".")[0] == first)
        return not one.names and alike == found.bound[first]


def _is_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _as_use(line: ImportLine) -> ImportUse:
    names = tuple(UsedName(n, (at, at + len(n.encode()))) for n, _, at in line.names if n != "*")
    return ImportUse(line.module, (line.start, line.start + len(line.module.encode())), names,
                     None, "use" if line.indented else "import", settled=True)
