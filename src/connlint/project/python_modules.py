"""What a Python import means: which file, and whether that file has the names that are taken from it.

Lines are looked at first, which settles nearly everything; a file is parsed only where a name or module seems to be
missing: its target, and then the importing file, since a line that looks like an import may stand in a docstring.
Nothing is read but through the tree, and installed packages are never asked: what is no module of the project is
`Unknown`.
"""

from __future__ import annotations

import difflib
import re

from msgspec.structs import replace

from connlint.languages.python.imports import FileImports, Imported, read_imports
from connlint.languages.python.outline import ImportLine
from connlint.languages.python.syntax import parse
from connlint.patterns import regex
from connlint.project.answer import Answer, Found, Missing, Unknown
from connlint.project.linker import ImportUse, UsedName
from connlint.project.python_doubts import Doubts
from connlint.project.python_files import INIT, PythonFiles, Stand, is_below, join
from connlint.project.python_names import NEAR, Names
from connlint.project.python_roots import Roots
from connlint.project.python_stands import Stands, is_standard
from connlint.project.tree import Tree

_BOUND_BEFORE = regex(rb"(?:[(,*\n]|\b(?:for|as|lambda))[ \t\r\n*]*\Z")
_BOUND_AFTER = regex(rb"[ \t\r\n]*(?:=(?!=)|[,):]|in\b)")
_ELSEWHERE = Unknown("on no path that is known")
_FOREIGN = Unknown("may be installed")
_INSTALLED = Unknown("installed", foreign=True)
_PORTION = Unknown("another project's part of the same namespace has it")
_STANDARD = Unknown("standard library", foreign=True)


class PythonLinker:
    """Resolution and outlines of Python. Implements `connlint.project.linker.Linker`."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.files = PythonFiles(tree)
        self.doubts = Doubts(self.files)
        self.names = Names(self.files, self.doubts, self.resolve)
        self.stands = Stands(self.files)
        self.unknown = 0
        self._resolved: dict[tuple[str, str], Answer] = {}
        self._there: dict[tuple[str, str], Answer | None] = {}
        """What `_present` says, by folder and module, where nobody has asked whether it may be there all the same."""

    @property
    def roots(self) -> Roots:
        """The roots that the project's configuration declares."""
        return self.stands.roots

    @property
    def tops(self) -> dict[str, list[Stand]]:
        """Every name that some folder of the project would offer as a top-level module."""
        return self.files.tops

    # -- modules --------------------------------------------------------------------------------------------------

    def resolve(self, path: str, module: str) -> Answer:
        """The file that ``module``, imported by the file ``path``, means; see `Linker.resolve`."""
        folder = path.rpartition("/")[0]
        key = (folder, module)
        answer = self._resolved.get(key)
        if answer is None:
            answer = self._present(path, folder, module)
            if answer is None:
                answer = self._absent(path, folder, module)
            self._resolved[key] = answer
        return self._seen_from(path, module, answer)

    def target(self, path: str, module: str) -> str | None:
        """The path of what `resolve` finds, None where it finds nothing; see `Linker.target`."""
        folder = path.rpartition("/")[0]
        key = (folder, module)
        answer = self._resolved.get(key)
        if answer is None:
            if key not in self._there:
                self._there[key] = self._present(path, folder, module)
            answer = self._there[key]
        answer = None if answer is None else self._seen_from(path, module, answer)
        return answer.path if type(answer) is Found else None

    def _seen_from(self, path: str, module: str, answer: Answer) -> Answer:
        """What holds for all files of a folder, as it is for ``path``."""
        if answer is _ELSEWHERE and b"sys.path" in self.files.read(path):
            return self._anywhere(path, module)
        if type(answer) is Found and answer.path == path and not module.startswith("."):
            # a file that is called like what it imports does not mean itself; a package inside another does
            return answer if path.endswith(INIT) and "." in module else _FOREIGN
        return answer

    def _present(self, path: str, folder: str, module: str) -> Answer | None:
        """What ``module`` means as the names of files and folders tell; None where a module of the project lacks."""
        if not module.startswith("."):
            return self._placed(path, folder, module)
        base, name = _base(folder, module)
        if base is None:
            return Unknown("above the project")
        if not name:
            return Found(self.files.package_file(base))
        found = self.files.walk(base, name)
        return None if found is None else Found(found)

    def _absent(self, path: str, folder: str, module: str) -> Answer:
        """Why ``module``, which no file is, may be there all the same; `Missing` where there is no doubt."""
        if module.startswith("."):
            base, name = _base(folder, module)
            assert base is not None
            if why := self.doubts.about_module(base, name):
                return Unknown(why)
            if self.stands.may_be_in_portion(base, name):
                return _PORTION
            return self._missing(base, name, "." * (len(module) - len(name)), folder)
        top = module.partition(".")[0]
        reachable = self.stands.reachable(folder, top)
        for stand in reachable:
            if self.stands.holds_for(stand, folder) and (why := self.doubts.about_module(stand.root, module)):
                return Unknown(why)
        ours = next(stand for stand in reachable if self.stands.is_ours(path, stand, top))
        return self._missing(ours.root, module, "")

    def _placed(self, path: str, folder: str, module: str) -> Answer | None:
        top = module.partition(".")[0]
        if top not in self.files.tops:
            return _INSTALLED
        if is_standard(top):
            return _STANDARD
        reachable = self.stands.reachable(folder, top)
        meant = self.stands.meant(folder, module, reachable)
        if meant is not None:
            stand, found = meant
            if top in self.roots.installed and not self.stands.is_ours(path, stand, top):
                return _INSTALLED
            return _ELSEWHERE if self.stands.is_doubtful(stand, module) else Found(found)
        everywhere = self.files.tops[top]
        if any(self.files.walk(stand.root, module) is not None for stand in everywhere):
            return _ELSEWHERE
        if not any(self.stands.is_ours(path, stand, top) for stand in reachable):
            return _INSTALLED if top in self.roots.installed else _FOREIGN
        return None

    def _anywhere(self, path: str, module: str) -> Answer:
        """For files that change ``sys.path``: the one place where ``module`` is, below a folder that lies above the
        file, or that it names."""
        stands = self.files.tops[module.partition(".")[0]]
        found = {place: stand.root for stand in stands if (place := self.files.walk(stand.root, module)) is not None}
        if len(found) != 1:
            return _ELSEWHERE
        place, root = found.popitem()
        named = root.rpartition("/")[2].encode() in self.files.read(path)
        return Found(place) if named or is_below(path, root) else _ELSEWHERE

    def _missing(self, root: str, module: str, dots: str, folder: str = "") -> Missing:
        """What is known of a module that does not exist: where it would be, and what is like it there.

        ``folder`` is that of a file which imports with ``dots``: what lies on the way to it takes fewer of them.
        """
        stem = join(root, module.replace(".", "/"))
        parent, _, name = stem.rpartition("/")
        tried = (f"{stem}.py", f"{stem}/{INIT}")
        top = join(root, module.partition(".")[0]) if not dots else root
        namesakes = self.files.holding(name, top) if dots or name != module else []
        if len(namesakes) == 1:
            below = namesakes[0][len(root) :].strip("/").split("/")
            while len(dots) > 1 and below and is_below(f"{folder}/", root := join(root, below[0])):
                dots, below = dots[1:], below[1:]
            return Missing("no such file", tried, dots + ".".join((*below, name)))
        near = difflib.get_close_matches(name, sorted(self.files.submodules(parent)), 1, NEAR)
        head = module[: len(module) - len(name)]
        return Missing("no such file", tried, f"{dots}{head}{near[0]}" if near else None)

    def spelled(self, path: str, module: str, target: str) -> str | None:
        """How ``path``, which writes ``module`` today, would import the file ``target``; see `Linker.spelled`."""
        stem = target.removesuffix(f"/{INIT}").removesuffix(".py")
        folder = path.rpartition("/")[0]
        if module.startswith("."):
            base, dots = folder, "."
            while base and not stem.startswith(f"{base}/"):
                base, dots = base.rpartition("/")[0], dots + "."
            candidates = [dots + stem[len(base) :].strip("/").replace("/", ".")]
        else:
            stands = self.stands.reachable(folder, module.partition(".")[0])
            roots = [stand.root for stand in stands if is_below(stem, stand.root)]
            candidates = [stem[len(root) :].strip("/").replace("/", ".") for root in roots]
            candidates = [name for name in candidates if name and not is_standard(name.partition(".")[0])]
        return next((name for name in candidates if self.resolve(path, name) == Found(target)), None)

    def may_appear(self, base: str, module: str) -> str | None:
        """Why ``module`` may come into being below the folder ``base`` although no file of the project is it."""
        return self.doubts.about_module(base, module)

    # -- names ----------------------------------------------------------------------------------------------------

    def binds(self, target: str, name: str) -> Answer:
        """Whether the module file ``target`` binds ``name`` once it has been loaded, whoever asks."""
        return self.names.answer(target, name)

    def lookup(self, path: str, use: ImportUse, name: str) -> Answer:
        """Whether the module of ``use``, seen from ``path``, defines ``name``; see `Linker.lookup`."""
        target = self.resolve(path, use.module)
        if not isinstance(target, Found):
            return target if isinstance(target, Unknown) else Unknown("no such module")
        answer = self.names.answer(target.path, name)
        if not isinstance(answer, Missing):
            return answer
        if not self.stands.is_surely(path, use.module, target.path) or self._may_have(use.module, target.path, name):
            return _FOREIGN
        within_reach = [place for place in answer.tried if self.spelled(path, use.module, place) is not None]
        return replace(answer, tried=tuple(within_reach[:5]))

    def _may_have(self, module: str, target: str, name: str) -> bool:
        """Whether something else than ``target`` that ``module`` may be has ``name``, or whether that is not known."""
        if module.startswith("."):
            return target.endswith("/") and self.stands.may_be_in_portion(target[:-1], name)
        return any(self.names.defines(place, name) is not False for place in self.stands.rivals(module, target))

    # -- imports --------------------------------------------------------------------------------------------------

    def home(self, target: str, name: str) -> str | None:
        """The file that seems to define ``name`` for whoever imports ``target``; see `Linker.home`."""
        return target

    def imports(self, path: str, data: bytes) -> list[ImportUse]:
        """Every import of the file. Where everything is plainly there, as the lines show it; else from the tree."""
        lines = self.files.imports(path, data)
        if self._is_settled(path, data, lines):
            return [_as_use(line) for line in lines]
        tree = parse(data)
        try:
            found = None if tree is None else read_imports(tree, data)
            if found is None:
                return []
            self.unknown = sum(_is_doubtful(self.resolve(path, one.module)) for one in found.imports)
            return self._exact(path, found)
        except RecursionError:
            return []

    def _is_settled(self, path: str, data: bytes, lines: list[ImportLine]) -> bool:
        """Whether nothing that the lines import, and no member of the modules among it, can be missing."""
        modules: list[tuple[str, str]] = []
        self.unknown = 0
        for line in lines:
            answer = self.resolve(path, line.module)
            if type(answer) is not Found:
                if type(answer) is Missing and not _is_for_checkers(data, line):
                    return False
                self.unknown += _is_doubtful(answer)
                continue
            for name, local, _ in line.names:
                if name == "*":
                    continue
                if self.names.defines(answer.path, name) is False and not _is_for_checkers(data, line):
                    return False
                if answer.path.endswith((INIT, "/")) and (inner := self._submodule(answer.path, name)) is not None:
                    modules.append((local, inner))
            if line.local is not None:
                # ``import a.b`` binds ``a``, and is used as ``a.b``
                spelled = line.local != line.module.partition(".")[0]
                modules.append((line.local if spelled else line.module, answer.path))
        imported = {at for line in lines for _, _, at in line.names}
        modules += [(f"{local}.{name}", inner) for local, target in modules if target.endswith(INIT)
                    for name in _members_of(local, data, imported)
                    if (inner := self._submodule(target, name)) is not None]
        return not any(
            self.names.defines(target, name) is False
            for local, target in modules
            for name in _members_of(local, data, imported)
        )

    def _submodule(self, target: str, name: str) -> str | None:
        """The module that ``from target import name`` binds, where it is a module and can be nothing else."""
        inner = self.files.walk(target.rpartition("/")[0], name)
        if inner is None or target.endswith("/"):
            return inner
        lines = self.files.scan(target)
        if lines is None or (name in lines.names and not self._imports_own(target, name)):
            return None
        if lines.stars and self.names.may_come_by_star(target, name):
            return None
        return inner

    def _imports_own(self, target: str, name: str) -> bool:
        """Whether the package ``target`` binds ``name`` by importing its own module of that name, and no other way."""
        data = self.files.tree.read(target) or b""
        rows = [(line, n) for line in self.files.imports(target, data) for n, local, _ in line.names if local == name]
        if len(rows) != 1 or rows[0][1] != name or rows[0][0].indented:
            return False
        module = rows[0][0].module.replace(".", "/")
        if module != "/" and not f"/{target.rpartition('/')[0]}".endswith(f"/{module}"):
            return False
        bound = rb"(?m)^(?:(?:async[ \t]+)?def|class)[ \t]+%s\b|^%s[ \t]*[:=]" % (name.encode(), name.encode())
        return re.search(bound, data) is None

    def _exact(self, path: str, found: FileImports) -> list[ImportUse]:
        uses = []
        for one in found.imports:
            names = tuple(UsedName(name, at) for name, _, at in one.names if name != "*")
            breaks = "use" if one.around.later else "import"
            excused = one.around.excused
            if excused is None and self.doubts.are_generated([used.name for used in names]):
                excused = "generated"
            uses.append(ImportUse(one.module, one.module_at, names, excused, breaks))
            if one.around.excused is None:
                uses += self._members(path, one, found)
        return uses

    def _members(self, path: str, one: Imported, found: FileImports) -> list[ImportUse]:
        """What the file takes from the modules that ``one`` binds, as uses of these modules."""
        answer = self.resolve(path, one.module)
        if type(answer) is not Found:
            return []
        bound: list[tuple[str, str]] = []
        if one.local is not None and self._is_plain(path, one.module):
            bound.append((one.local, one.module))
        for name, local, _ in one.names:
            if answer.path.endswith((INIT, "/")) and self._submodule(answer.path, name) is not None:
                bound.append((local, one.module + ("" if one.module.endswith(".") else ".") + name))
        uses = []
        for base, module in bound:
            if base in found.probed or not found.means_one_thing(one, base.partition(".")[0]):
                continue
            for under, inner in ((base, module), *self._inside(path, base, module, found)):
                names = tuple(UsedName(m.name, m.at, in_import=False) for m in found.members
                              if m.base == under and m.excused is None and under not in found.probed)
                if names:
                    uses.append(ImportUse(inner, one.module_at, names, None, "use"))
        return uses

    def _inside(self, path: str, base: str, module: str, found: FileImports) -> list[tuple[str, str]]:
        """The modules of the package ``module`` that the file reaches through the package: ``base.inner.name``."""
        answer = self.resolve(path, module)
        if not isinstance(answer, Found) or not answer.path.endswith(INIT):
            return []
        names = {m.name for m in found.members if m.base == base and m.excused is None}
        return [(f"{base}.{name}", f"{module}.{name}") for name in sorted(names)
                if self._submodule(answer.path, name) is not None]

    def _is_plain(self, path: str, module: str) -> bool:
        """Whether the package above the dotted ``module`` does not give its name to something else."""
        head, _, name = module.rpartition(".")
        if not head:
            return True
        above = self.resolve(path, head)
        return isinstance(above, Found) and self._submodule(above.path, name) is not None and self._is_plain(path, head)


def _members_of(local: str, data: bytes, imported: set[int]) -> set[str]:
    """What seems to be taken from ``local`` with a dot; nothing where it seems to be a parameter or variable as well.

    ``imported`` are the places at which import statements name things. ``local.py`` is a file that a comment speaks of.
    """
    found = set()
    taken = re.escape(local.encode()) + rb"(?![\w\x80-\xff])(?:\.([A-Za-z_\x80-\xff][\w\x80-\xff]*))?"
    for match in re.finditer(taken, data):
        start = match.start()
        before = data[start - 1 : start]
        if before.isalnum() or before in (b"_", b".") or before > b"\x7f" or start in imported:
            continue
        if match[1] is not None:
            found.add(match[1].decode("utf-8", "replace"))
        elif _BOUND_BEFORE.search(data, max(0, start - 40), start) and _BOUND_AFTER.match(data, match.end()):
            return set()
    return found - {"py"}


def _is_doubtful(answer: Answer) -> bool:
    return type(answer) is Unknown and not answer.foreign


def _is_for_checkers(data: bytes, line: ImportLine) -> bool:
    """Whether the lines say that an import stands directly under ``if TYPE_CHECKING:`` at the top level."""
    start = data.rfind(b"\nif ", 0, line.start)
    if not line.indented or start < 0:
        return False
    between = data[start + 1 : line.start]
    return re.match(rb"if (?:\w+\.)?TYPE_CHECKING[ \t]*:", between) is not None and not re.search(rb"\n[^\s#]", between)


def _base(folder: str, module: str) -> tuple[str | None, str]:
    """The folder below which the relative ``module`` is looked for, None above the project; and its dotted name."""
    name = module.lstrip(".")
    base: str | None = folder
    for _ in range(len(module) - len(name) - 1):
        if not base:
            return None, name
        base = base.rpartition("/")[0]
    return base, name


def _as_use(line: ImportLine) -> ImportUse:
    names = tuple(UsedName(n, (at, at + len(n.encode()))) for n, _, at in line.names if n != "*")
    at = (line.start, line.start + len(line.module.encode()))
    return ImportUse(line.module, at, names, None, "use" if line.indented else "import", settled=True)
