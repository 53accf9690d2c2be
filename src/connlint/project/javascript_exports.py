"""Which names the modules of a project export, to whoever asks; JavaScript and TypeScript.

Decided twice: a scan over bytes says what is there, and a parse what is not.
"""

from __future__ import annotations

import difflib
import re
from functools import cached_property

from connlint.languages.javascript import scan
from connlint.languages.javascript.outline import DECLARATIONS, Outline
from connlint.languages.javascript.outline import outline as read_outline
from connlint.languages.javascript.scan import Exports
from connlint.patterns import Words, alone, regex
from connlint.project.answer import Found
from connlint.project.javascript_files import folder_of
from connlint.project.javascript_paths import Resolver
from connlint.project.tree import Tree

OPEN = ""
"""In answers about a name: it may be there."""
CODE = regex(r"\.(?:[cm]?[jt]sx?|vue|svelte)$")
"""Files whose exports can be read."""
_VENDORED = regex(r"(?:^|/)(?:node_modules|vendors?|vendored|third[_-]party|bower_components)/")
_BUNDLED = regex(r"(?:^|/)dist(?:[-_]\w+)*/|[.-](?:min|bundle|umd|packed)\.[cm]?js$")
_AUGMENTED = regex(rb"""\bdeclare\s+module\s+["']([^"'*\n]+)["']\s*(\{)?""")


class Exporters:
    """Answers about names for one project; everything is remembered.

    An answer is the path of the file that defines the name, `OPEN` where it may be there, None where it is not.
    ``seen`` holds the answers given so far: module → name → answer.
    """

    def __init__(self, tree: Tree, resolver: Resolver) -> None:
        self.tree = tree
        self.resolver = resolver
        self.seen: dict[str, dict[str, str | None]] = {}
        self._scans: dict[str, Exports | None] = {}
        self._outlines: dict[str, Outline | None] = {}

    def defined(self, target: str, name: str) -> str | None:
        """The file that defines ``name`` for whoever imports ``target``; `OPEN` where it may; None where none does."""
        known = self.seen.setdefault(target, {})
        if name not in known:
            found = self._look(target, name, set())
            if found is None:
                found = self._settle(target, name, set())
            if found is None and self._added(target, name):
                found = OPEN
            known[name] = found
        return known[name]

    def seen_in(self, target: str, name: str) -> str | None:
        """The file that defines ``name`` for whoever imports ``target``, as far as bytes show one."""
        return self._look(target, name, set()) or None

    def outline(self, target: str) -> Outline | None:
        """The exports of a file as a parse shows them; None for what is no code."""
        if target not in self._outlines:
            data = self.tree.read(target) if CODE.search(target) else None
            self._outlines[target] = read_outline(target, data) if data is not None else None
        return self._outlines[target]

    def _scan(self, target: str) -> Exports | None:
        """The exports of a file as bytes show them; None for what is no code."""
        if target not in self._scans:
            data = self.tree.read(target) if CODE.search(target) else None
            self._scans[target] = scan.exports(data) if data is not None else None
        return self._scans[target]

    def _look(self, target: str, name: str, asked: set[tuple[str, str]]) -> str | None:
        """`defined` by scans; None means "not seen". ``asked`` are the questions that need not be put again."""
        exports = self._scan(target)
        if exports is None:
            return OPEN
        asked.add((target, name))
        if name in exports.names:
            return self._passed_on(target, exports.moved.get(name), asked) or target
        if name == "default":
            return target if target.endswith((".vue", ".svelte")) else None
        for star in exports.stars:
            answer = self.resolver.resolve(target, star)
            if type(answer) is Found and (answer.path, name) not in asked:
                if found := self._look(answer.path, name, asked):
                    return found
        return None

    def _passed_on(self, target: str, moved: tuple[str, str] | None, asked: set[tuple[str, str]]) -> str | None:
        """Where a re-exported name is defined. A fault there is the re-export's own, not that of its importers."""
        if moved is None or moved[1] == "*":
            return None
        answer = self.resolver.resolve(target, moved[0])
        if type(answer) is not Found or (answer.path, moved[1]) in asked:
            return None
        return self._look(answer.path, moved[1], asked)

    def _settle(self, target: str, name: str, asked: set[str]) -> str | None:
        """`defined` by parses; None is final."""
        asked.add(target)
        found = self.outline(target) if not _BUNDLED.search(target) else None
        if found is None or found.opened is not None or (found.form != "module" and _VENDORED.search(target)):
            return OPEN
        if name in found.names:
            return target
        if target.endswith(DECLARATIONS):
            return OPEN
        if name == "default":
            return OPEN if found.form == "commonjs" else None
        for star in found.stars:
            answer = self.resolver.resolve(target, star)
            if type(answer) is not Found:
                return OPEN
            if answer.path not in asked and (below := self._settle(answer.path, name, asked)) is not None:
                return below
        return None

    def _added(self, target: str, name: str) -> bool:
        """Whether another file adds the name: one beside it that is meant as well, or an augmentation of its types."""
        others = (*self.resolver.files.twins(target), *self.resolver.packages.variants.get(target, ()))
        if any(self._look(other, name, set()) is not None for other in others):
            return True
        word = alone(name.encode())
        return any(data is None or word.search(data) for data in self._augmentations.get(target, ()))

    @cached_property
    def _augmentations(self) -> dict[str, list[bytes | None]]:
        """Files that add declarations to a module of the project, by that module; None for one that lets it have any
        name: ``declare module "lib/dom";``."""
        found: dict[str, list[bytes | None]] = {}
        for path in sorted(self.tree.paths):
            data = self.tree.read(path) if path.endswith((".ts", ".tsx", ".mts", ".cts")) else None
            if data is not None and b"declare module" in data:
                for specifier, body in _AUGMENTED.findall(data):
                    answer = self.resolver.resolve(path, specifier.decode("utf-8", "replace"))
                    if type(answer) is Found:
                        found.setdefault(answer.path, []).append(data if body else None)
        return found

    def given_elsewhere(self, target: str, name: str) -> bool:
        """Whether a CommonJS module's object is perhaps given ``name`` by another file: objects are open to all."""
        found = self.outline(target)
        if found is None or found.form != "commonjs":
            return False
        word = b"." + name.encode()
        pattern = re.compile(rb"%b(?<!exports%b)\s*=[^=]" % (re.escape(word), re.escape(word)))
        texts = ((path, data) for path in self._code if path != target and (data := self.tree.read(path)) is not None)
        for path in Words([word]).held_by(texts):
            data = self.tree.read(path) or b""
            if pattern.search(data):
                for statement in scan.statements(data):
                    answer = self.resolver.resolve(path, statement.specifier)
                    if type(answer) is Found and answer.path == target:
                        return True
        return False

    # -- what was meant -----------------------------------------------------------------------------------------------

    @cached_property
    def _code(self) -> list[str]:
        paths = (p for p in self.tree.paths if p.endswith(scan.SUFFIXES))
        return sorted(p for p in paths if not (_VENDORED.search(p) or _BUNDLED.search(p)))

    @cached_property
    def _exporters(self) -> dict[str, list[str]]:
        """Name → the files that seem to export it, not counting those that pass it on."""
        found: dict[str, list[str]] = {}
        for path in self._code:
            exports = self._scan(path)
            if exports is not None:
                for name in exports.names:
                    if name not in exports.moved:
                        found.setdefault(name, []).append(path)
        return found

    def definers(self, name: str, target: str) -> tuple[str, ...]:
        """The other files that export ``name``, those nearest to ``target`` first; five at most."""
        if name == "default":
            return ()
        paths = [p for p in self._exporters.get(name, ()) if p != target]
        folder = folder_of(target)
        return tuple(sorted(paths, key=lambda p: (-_shared(p, folder), p))[:5])

    def near(self, target: str, name: str) -> str | None:
        """The export of ``target`` that was probably meant by ``name``."""
        names: set[str] = set()
        self._gather(target, names, set())
        if name == "default":
            stem = target[target.rfind("/") + 1 :].split(".")[0].lower()
            named = sorted(n for n in names if n.lower() == stem or len(names) == 1)
            return named[0] if named else None
        if names == {"default"}:
            return "default"
        folded = {n.lower(): n for n in sorted(names)}
        close = difflib.get_close_matches(name.lower(), sorted(folded), 1, 0.7)
        return folded[close[0]] if close and close[0] != "default" else None

    def _gather(self, target: str, names: set[str], asked: set[str]) -> None:
        asked.add(target)
        exports = self._scan(target)
        if exports is not None:
            names |= exports.names
            for star in exports.stars:
                answer = self.resolver.resolve(target, star)
                if type(answer) is Found and answer.path not in asked:
                    self._gather(answer.path, names, asked)


def _shared(path: str, folder: str) -> int:
    """How many leading folders two paths share."""
    count = 0
    for a, b in zip(path.split("/"), folder.split("/")):
        if a != b:
            break
        count += 1
    return count
