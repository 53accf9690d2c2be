"""What one process needs to work on one project, and what it does with one file: look at its bytes, check it."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from msgspec import Struct, field

from connlint.cards import Rules
from connlint.checks import CHECKS, CODE_WORDS, PROJECT_CHECKS
from connlint.config import Config
from connlint.discover import CODE, JAVASCRIPT, NOTEBOOK, PYTHON, max_size, set_aside_by_content
from connlint.model.finding import Draft, Finding, Level, Suppression
from connlint.model.problem import Problem
from connlint.model.source import Source
from connlint.project.tree import HeldTree, Tree
from connlint.sieve import IMPORTED, Sieve, imported_modules, last_of, names_beside, package_of

# A hook that has nothing to parse must not wait for what parsing needs: these are imported when they are first used
if TYPE_CHECKING:
    from connlint.cards import Card
    from connlint.model.program import Program
    from connlint.project.linker import Linker
    from connlint.project.placement import Placement
    from connlint.project.project import Project, Reader
    from connlint.project.stage import Stages
    from connlint.readings import Readings

SUPPRESSION = b"connlint:"
"""A file that does not hold this has no comment for us."""
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_IDLE = frozenset(("shelved", "abandoned", "uncalled", "unchecked"))
"""Options of cards that may lower a level: `connlint.project.idle`."""


class Options(Struct, frozen=True):
    """What a run is told beside its configuration."""

    jobs: int = 0
    sieve: bool = True
    notebooks: bool = False
    category: str = ""


class Scanned(Struct):
    """What the bytes of one file said. ``cards`` are the ids of rules that want it parsed."""

    path: str
    cards: tuple[str, ...] = ()
    set_aside: str | None = None
    problem: Problem | None = None
    drafts: tuple[tuple[str, Draft], ...] = ()
    unknown_imports: int = 0
    modules: frozenset[str] = frozenset()


class Checked(Struct):
    """What the checks said about one file."""

    path: str
    findings: list[Finding] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    problem: Problem | None = None
    size: int = 0


class Session:
    """Everything that one process needs to work on one project; built before workers are forked."""

    def __init__(self, tree: Tree, rules: Rules, config: Config, options: Options,
                 reported: frozenset[str] | None = None, readings: Readings | None = None) -> None:
        self.tree = HeldTree(tree)
        self.reported = reported
        self.rules = rules
        self.config = config
        self.options = options
        self.readings = readings
        self.cards = {card.id: card for card in rules.cards.values() if config.selects(card)}
        self.sieve = Sieve.build((c for c in self.cards.values() if c.check in CHECKS), rules, off=not options.sieve)
        self.released = 0

    @cached_property
    def linkers(self) -> Linkers:
        return Linkers(self.tree)

    @cached_property
    def project(self) -> Project:
        from connlint.project.project import Project

        suffixes = (*PYTHON, *JAVASCRIPT, *((NOTEBOOK,) if self.options.notebooks else ()))
        readers = {suffix: reader_for(suffix) for suffix in suffixes}
        if self.readings is not None:
            readers = {suffix: self.readings.through(reader) for suffix, reader in readers.items()}
        project = Project(self.tree, readers, self.linkers)
        project.reported = self.reported
        return project

    @cached_property
    def checks(self) -> dict[str, Callable[..., Iterator[Draft]]]:
        return {}

    def concerns(self, check: str) -> bool:
        """Whether a check of the whole project is selected and may report something in the files asked for."""
        if not any(card.check == check for card in self.cards.values()):
            return False
        if self.reported is None or not all(path.endswith(CODE) for path in self.reported):
            return True
        words = CODE_WORDS.get(check) or [word for card in self.cards.values() if card.check == check
                                          for word in card.options.get("words", ())]
        return any(any(self._holds(data, word, path) for word in words)
                   and (check != "import-chain" or self.runs_ours(path, data))
                   for path in self.reported for data in (self.tree.read(path) or b"",))

    def _holds(self, data: bytes, word: str, path: str) -> bool:
        """Whether the file ``path`` holds a word of `CODE_WORDS`."""
        if word.startswith("@"):
            role, _, given = word[1:].partition(".")
            language = "python" if is_python(path) else "javascript"
            return any(package_of(name, language).encode() in data and last_of(name).encode() in data
                       for entry in self.rules.apis.get(role, ()) if entry["language"] == language
                       for name in entry.get(given, ()))
        return word.removeprefix("js:").encode() in data and not (word.startswith("js:") and is_python(path))

    def runs_ours(self, path: str, data: bytes) -> bool:
        """See `connlint.project.loading.runs_ours`."""
        from connlint.project.loading import runs_ours

        return runs_ours(self.linkers["python" if is_python(path) else "javascript"], path, data)

    def check_named(self, name: str) -> Callable[..., Iterator[Draft]]:
        """The function of a check, imported when it is first needed."""
        if name not in self.checks:
            where = CHECKS.get(name) or PROJECT_CHECKS[name]
            module, _, function = where.partition(":")
            self.checks[name] = getattr(import_module(module), function)
        return self.checks[name]

    def load(self) -> None:
        """Import what the checks need, so that processes which are forked from this one need not do it again."""
        for check in sorted({card.check for card in self.cards.values()}):
            if check in CHECKS or check in PROJECT_CHECKS:
                self.check_named(check)

    def problems_of_others(self) -> Iterator[Problem]:
        """What of the files that are no code could not be read; a link, or what has gone, is no problem."""
        if self.project.reported is None and "javascript" in self.project.linkers:
            from connlint.project.unread_settings import unread_settings

            yield from unread_settings(self.project, self.stages)
        for path, problem in self.project.problems.items():
            if path.endswith(CODE):
                continue
            if problem.kind != "closed":
                yield problem
            elif _not_a_file(self.tree, path) is None:
                yield Problem("unreadable", _why_unreadable(self.tree, path), path)

    # -- one file -------------------------------------------------------------------------------------------------

    def scan(self, path: str) -> Scanned:
        """Look at the bytes of ``path``: is it to be set aside, which rules want it parsed, do its imports hold."""
        python, notebook = is_python(path), path.endswith(NOTEBOOK)
        try:
            data = self.tree.read(path)
        except OSError:
            data = None
        if data is None:
            if reason := _not_a_file(self.tree, path):
                return Scanned(path, set_aside=reason)
            return Scanned(path, problem=Problem("unreadable", _why_unreadable(self.tree, path), path))
        if len(data) > (most := max_size(path)):
            self.tree.let_go(path)
            return Scanned(path, set_aside=f"larger than {most // 1_000_000} MB")
        if not notebook and (reason := set_aside_by_content(data)):
            self.tree.let_go(path)
            return Scanned(path, set_aside=reason)
        wide = data.startswith(_WIDE)
        if wide:
            # what the sieve looks for is ASCII
            try:
                data = data.decode("utf-16").encode("utf-8", "replace")
            except UnicodeDecodeError as error:
                return Scanned(path, problem=Problem("encoding", f"byte {error.start} is not UTF-16", path))
        row = Scanned(path)
        modules = imported_modules(_as_lines(data) if notebook else data, python=python)
        row.modules = modules
        cards = [rule for rule in self.sieve.passing(data, python=python, modules=modules) if self.speaks(rule, path)]
        if SUPPRESSION in data:
            cards.append("")
        row.cards = tuple(cards)
        symbols = [card for card in self.cards.values() if card.check == "symbols"]
        if symbols and modules and not notebook and not wide:
            from connlint.checks.symbols import faults

            linker = self.linkers["python" if python else "javascript"]
            linker.unknown = 0
            drafts: list[Draft] = []
            try:
                drafts += faults(linker, path, data)
            except Exception as error:
                # a fault of ours in one file is said, and takes nothing from the others
                if os.environ.get("CONNLINT_TRACEBACK"):
                    raise
                row.problem = Problem("internal", f"imports failed: {type(error).__name__}: {error}", path)
            if any(draft.outcome == "module" for draft in drafts) and self.placement.runs_elsewhere(path):
                drafts = [draft for draft in drafts if draft.outcome != "module"]
            row.drafts = tuple((card.id, d) for d in drafts for card in symbols if d.outcome in card.outcomes)
            row.unknown_imports = linker.unknown
        return row

    @cached_property
    def placement(self) -> Placement:
        from connlint.project.placement import Placement

        return Placement(self.tree)

    def speaks(self, rule: str, path: str) -> bool:
        """Whether a rule says anything about files like ``path``: most are silent in tests."""
        silent = self.cards[rule].options.get("silent_stages")
        return not silent or self.stages.of_path(path) not in silent

    @cached_property
    def stages(self) -> Stages:
        from connlint.project.stage import stages_of
        from connlint.project.values import values_of

        return stages_of(self.project, self.rules.apis, values_of(self.project, self.rules.apis))

    def check(self, path: str, ids: tuple[str, ...]) -> Checked:
        """Parse ``path`` and run the checks of the cards named."""
        result = Checked(path)
        words = None
        data = self.tree.read(path) or b""
        if self.options.sieve and "" not in ids and not data.startswith(_WIDE):
            python = is_python(path)
            modules = imported_modules(_as_lines(data) if path.endswith(NOTEBOOK) else data, python=python)
            words = self.sieve.words(ids, modules, python=python) | self._kept(ids, path, data)
        module = self.project.module(path, words)
        result.problem = self.project.problems.get(path)
        if module is None:
            return result
        if SUPPRESSION in module.source.data:
            from connlint.suppressions import collect

            result.suppressions = collect(module)
        for rule in ids:
            card = self.cards.get(rule)
            if card is None:
                continue
            try:
                drafts = list(self.check_named(card.check)(module, self.project, card, self.rules))
            except RecursionError:
                result.problem = Problem("too-deep", f"nested too deeply for {card.id}", path)
                continue
            except Exception as error:
                # a fault of ours in one file is said, and takes nothing from the others
                if os.environ.get("CONNLINT_TRACEBACK"):
                    raise
                result.problem = Problem("internal", f"{card.id} failed: {type(error).__name__}: {error}", path)
                continue
            for draft in drafts:
                if finding := self.finding(card, draft):
                    result.findings.append(finding)
        self._release(path)
        return result

    def _kept(self, ids: tuple[str, ...], path: str, data: bytes) -> frozenset[bytes]:
        """The names of a module that may hold what the cards ``ids`` ask about: functions that use one say whether it
        is an address to connect to."""
        from connlint.project.suspects import suspects

        found: set[bytes] = set()
        for rule in ids:
            card = self.cards.get(rule)
            for alternative in card.sieve if card is not None else ():
                if alternative[:1] == ((IMPORTED,),):
                    assert card is not None
                    groups = (card.sieve[0][0], *alternative[1:])
                    words = [word.removeprefix("py:").removeprefix("js:") for group in groups for word in group]
                    found |= names_beside([word.encode() for word in words], data,
                                          suspects(self.project).outside(path))
        return frozenset(found)

    def _release(self, path: str) -> None:
        """Forget a module that has been checked, and now and then look for circles."""
        self.project.forget(path)
        self.released += 1
        if not self.project.trim() and self.released % 48 == 0:
            self.project.sweeper.sweep()

    def finding(self, card: Card, draft: Draft) -> Finding | None:
        """The draft in the words of ``card``; None where the card or the configuration does not report it."""
        outcome = card.outcomes.get(draft.outcome)
        if outcome is None:
            return None
        graded = draft.level or outcome.level
        weighed = self._weighed(card, draft, graded)
        level = self.config.level(card, draft.place.path, weighed)
        if level is None:
            return None
        message = outcome.message.format_map(_Slots(draft.slots))
        lowered = weighed != graded and not card.options.get("idle_edits", True)
        fix = None if lowered and self._is_left(draft) else draft.fix
        return Finding(card.id, level, message, draft.place, draft.symbol, draft.steps, draft.related, fix)


    def _weighed(self, card: Card, draft: Draft, level: Level) -> Level:
        """The level of a draft: lower where the rule is about what runs, and that does not as it stands."""
        if not _IDLE.isdisjoint(card.options) and level != "note":
            from connlint.project.idle import Idle

            return Idle.of(self.project, self.stages).weighed(card.options, draft.outcome, draft.place, level)
        return level

    def _is_left(self, draft: Draft) -> bool:
        """Whether a draft is about a file that nothing loads any more."""
        from connlint.project.idle import Idle

        return Idle.of(self.project, self.stages).is_left(draft.place.path)


class Linkers(Mapping[str, "Linker"]):
    """The linkers by language, each made when it is first asked for."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._made: dict[str, Linker] = {}

    def __getitem__(self, language: str) -> Linker:
        if language not in self._made:
            if language == "python":
                from connlint.project.python_modules import PythonLinker

                self._made[language] = PythonLinker(self.tree)
            elif language == "javascript":
                from connlint.project.javascript_modules import JavaScriptLinker

                self._made[language] = JavaScriptLinker(self.tree)
        return self._made[language]

    def __iter__(self) -> Iterator[str]:
        return iter(("python", "javascript"))

    def __len__(self) -> int:
        return 2


class _Slots(dict):
    def __missing__(self, key: str) -> str:
        return "…"


def reader_for(suffix: str) -> Reader:
    """The reader of files that end in ``suffix``; its parser is imported when the first file is read."""

    def read(source: Source, words: Iterable[bytes] | None = None) -> Program:
        if suffix == NOTEBOOK:
            from connlint.languages.python.notebook import read_notebook

            return read_notebook(source)
        if suffix in PYTHON:
            from connlint.languages.python.read import read as reader
        else:
            from connlint.languages.javascript.read import read as reader
        return reader(source, None if words is None else sorted(words))

    return read


def is_python(path: str) -> bool:
    """Whether a file of code is Python; the other language is JavaScript."""
    return path.endswith((*PYTHON, NOTEBOOK))


def _as_lines(notebook: bytes) -> bytes:
    """The bytes of a notebook with every text of the JSON on a line of its own, as far as the sieve is concerned."""
    return notebook.replace(b'"', b"\n").replace(b"\\n", b"\n")


def _not_a_file(tree: Tree, path: str) -> str | None:
    """Why a listed path holds no bytes of its own; None where it should have been readable."""
    if not tree.exists(path):
        return "no longer there"
    root = getattr(tree, "root", None)
    if root is not None:
        full = root / path
        if full.is_symlink():
            return "symbolic link"
        if not full.is_file():
            return "no regular file"
    return None


def _why_unreadable(tree: Tree, path: str) -> str:
    root = getattr(tree, "root", None)
    if root is not None and not os.access(root / path, os.R_OK):
        return "permission denied"
    return "cannot be read"
