"""Why a Python module or name may be there although no file of the project says so.

Builds compile and generate modules, programs put them into ``sys.modules``, other files set names on them. Each
question is asked only where something seems to be missing, so that it may look through all files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property

from connlint.languages.python.outline import PUT, PUTS_MODULES
from connlint.patterns import regex
from connlint.project.python_assignments import Assignments
from connlint.project.python_files import INIT, PythonFiles, join

_GENERATED = regex(
    r"(?:_pb2|_pb2_grpc|_pb2_twirp|_grpc|_ui|_rc|_thrift)$|^(?:_?version|__version__|_?generated|_build_info)$"
)
_GENERATED_FOLDER = regex(r"(?:^|/)(?:_*generated_*|_*gen_*|autogen\w*)/")
_BESIDE = (".so", ".pyd", ".pyx", ".pyi", ".dll", ".c", ".cpp", ".rs", ".pxd", ".ipynb")
_NATIVE = (".pyx", ".rs", ".c", ".cc", ".cpp", ".cxx", ".cu", ".f90")
_BUILDS_NATIVE = regex(
    rb"\bExtension\(|ext_modules|cffi_modules|maturin|scikit-build|meson-python|setuptools-rust"
)
_BUILD_FILES = {
    "setup.py", "pyproject.toml", "setup.cfg", "CMakeLists.txt", "Makefile", "meson.build", "Cargo.toml", "build.rs",
    "justfile", "BUILD", "BUILD.bazel", "hatch_build.py", "MANIFEST.in",
}
_IGNORE_FILES = {".gitignore", ".hgignore", ".dockerignore"}
_EXTENDS_ITSELF = regex(
    rb"^[ \t]*__path__[ \t]*(?:\+?=(?!=)|\.(?:append|insert|extend)\b)"
    rb"|\bextend_path\(|\bdeclare_namespace\(|\bmeta_path\b|\bpath_hooks\b"
    rb"|\bgenerate\w*\(",
    re.M,
)
_TEST = regex(r"(?:^|/)(?:tests?/|test_[^/]*$|[^/]*_test\.py$)")
_MAKES = regex(
    rb">|(?<!\w)-o\b|out|write_to|version.file|gen|Extension|cythonize|ext_modules|ffi|module-name|build", re.I
)
"""Words of a line that makes the file it names; to lint or to copy a file does not."""


_GENERATED_ENDING = regex(r"(?:_pb2|_pb2_grpc|_pb2_twirp|_thrift)$")


class Doubts:
    """What keeps the absence of something from being certain. Answers are reasons, None for no doubt."""

    def __init__(self, files: PythonFiles) -> None:
        self.files = files
        self.tree = files.tree
        self._modules: dict[tuple[str, str], str | None] = {}
        self.assignments = Assignments(files)
        self._extending: dict[str, str | None] = {}

    # -- modules --------------------------------------------------------------------------------------------------

    def about_module(self, base: str, module: str) -> str | None:
        """Why the dotted ``module`` may come into being below the folder ``base``."""
        key = (base, module)
        if key not in self._modules:
            self._modules[key] = self._about_module(base, module.split("."))
        return self._modules[key]

    def _about_module(self, base: str, parts: list[str]) -> str | None:
        if any(_GENERATED.search(part) for part in parts) or _GENERATED_FOLDER.search(f"{base}/{'/'.join(parts)}"):
            return "generated"
        stem = base
        for part in parts:
            for above in (f"{stem}/{INIT}", f"{stem}.py") if stem else ():
                if above in self.tree.paths and (why := self._extends_itself(above)):
                    return why
            stem = join(stem, part)
            if stem in self.tree.paths:
                return "a symbolic link"
            if stem not in self.tree.folders and f"{stem}.py" not in self.tree.paths:
                if self._is_compiled(stem) or (self._native and part.startswith("_")):
                    return "compiled"
                if "/".join(stem.split("/")[-2:]) in self._native:
                    return "compiled"
                break
        if self._is_put_in(stem, parts[0] if stem == parts[0] else ""):
            return "put into sys.modules"
        if self._is_built(stem):
            return "made by a build"
        if self._is_copied(stem):
            return "copied there"
        for candidate in (f"{stem}.py", stem, f"{stem}/{INIT}"):
            if self.tree.exists(candidate):
                return "there, but not part of the project"
            if self.tree.ignored(candidate):
                return "ignored, so it may be made by a build"
        return None

    def are_generated(self, names: list[str]) -> bool:
        """Whether ``names``, which a module that is not there shall give, are all names of modules that a compiler of
        interfaces writes: it makes the folder for them, too."""
        return bool(names) and all(_GENERATED_ENDING.search(name) for name in names)

    def _extends_itself(self, path: str) -> str | None:
        """Why submodules of the package or module ``path`` need no file."""
        if path not in self._extending:
            self._extending[path] = self._extends(path)
        return self._extending[path]

    def _extends(self, path: str) -> str | None:
        data = self.tree.read(path)
        if data is None:
            return "cannot be read"
        if found := _EXTENDS_ITSELF.search(data):
            return found[0].decode()
        return "sys.modules" if PUTS_MODULES.search(data) else None

    def _is_compiled(self, stem: str) -> bool:
        return any(stem + end in self.tree.paths for end in _BESIDE) or stem + "." in self._compiled

    @cached_property
    def _compiled(self) -> frozenset[str]:
        """``folder/name.`` of every extension module (``name.cpython-311-x86_64-linux-gnu.so``)."""
        return frozenset(
            p[: p.index(".", p.rfind("/") + 1) + 1] for p in self.tree.paths if p.endswith((".so", ".pyd"))
        )

    @cached_property
    def _native(self) -> frozenset[str]:
        """``folder/name`` of files in compiled languages, of which a build may make modules."""
        found = {"/".join(p.rpartition(".")[0].split("/")[-2:]) for p in self.tree.paths if p.endswith(_NATIVE)}
        if not found and _BUILDS_NATIVE.search(self._build_files):
            found.add("_native")
        return frozenset(found)

    @cached_property
    def _put_in(self) -> frozenset[str]:
        """Every dotted text in files that change ``sys.modules``, where modules are made without a file.

        What a test puts there is gone when the test ends; a ``conftest.py`` works for all.
        """
        found: set[bytes] = set()
        for path in self.files.paths:
            if _TEST.search(path) and not path.endswith("conftest.py"):
                continue
            data = self.files.read(path)
            if PUT in data and b"sys" in data and PUTS_MODULES.search(data):
                found.update(re.findall(rb"[\"']([\w.]+)[\"']", data))
        return frozenset(name.decode("utf-8", "replace") for name in found)

    def _is_put_in(self, stem: str, top: str) -> bool:
        """Whether some file makes the module at ``stem``; ``top`` is its name where no package is above it."""
        if not self._put_in:
            return False
        parts = stem.replace("/", ".").split(".")
        runs = (".".join(parts[start:end]) for start in range(len(parts)) for end in range(start + 2, len(parts) + 1))
        return top in self._put_in or any(run in self._put_in for run in runs)

    @cached_property
    def _build_files(self) -> bytes:
        return self._texts(lambda name: name in _BUILD_FILES or "Dockerfile" in name)

    @cached_property
    def _ignore_files(self) -> bytes:
        return self._texts(_IGNORE_FILES.__contains__)

    def _texts(self, wanted: Callable[[str], bool]) -> bytes:
        return b"\n".join(self.files.read(path) for path in sorted(self.tree.paths) if wanted(path.rpartition("/")[2]))

    def _is_built(self, stem: str) -> bool:
        """Whether a build file makes ``package.module`` or ``package/module``, or an ignore file names it."""
        parts = [re.escape(part.encode()) for part in stem.split("/")[-2:]]
        pattern = rb"\b" + parts[-1] + rb"\.(?:so|pyd|pyx)\b"
        if len(parts) == 2:
            pattern += rb"|\b" + parts[0] + rb"[./]" + parts[1] + rb"\b"
        if re.search(pattern, self._ignore_files):
            return True
        data = self._build_files
        for found in re.finditer(pattern, data):
            line = data[data.rfind(b"\n", 0, found.start()) + 1 : (data.find(b"\n", found.end()) + 1 or len(data))]
            if _MAKES.search(line):
                return True
        return False

    def _is_copied(self, stem: str) -> bool:
        """Whether an image gets a file of this name in a folder that is called like the one above."""
        folder, _, name = stem.rpartition("/")
        above, file = re.escape(folder.rpartition("/")[2].encode()), re.escape(name.encode()) + rb"\.py"
        if not above:
            return False
        copied = re.compile(rb"^[ \t]*(?:COPY|ADD)[ \t](?:[^\n]*[ \t/])?%s[ \t](?:[^\n]*[ \t/])?%s/?(?:%s)?[ \t\r]*$"
                            % (file, above, file), re.M)
        return any(copied.search(data) for data in self._image_files)

    @cached_property
    def _image_files(self) -> list[bytes]:
        return [self.files.read(path) for path in self.tree.paths if "ockerfile" in path.rpartition("/")[2]]

    # -- names ----------------------------------------------------------------------------------------------------

    def about_names(self, path: str) -> str | None:
        """Why the module ``path`` may have names that its text does not show."""
        if _GENERATED.search(path.rpartition("/")[2][:-3]) or _GENERATED_FOLDER.search(path):
            return "generated"
        return "a stub or a compiled module stands beside it" if self._is_compiled(path[:-3]) else None

    def is_set_from_outside(self, target: str, name: str) -> bool:
        """Whether some file sets ``name`` on the module ``target``: ``settings.name = …``, ``setattr``, a patch."""
        return self.assignments.are_made(target, name)
