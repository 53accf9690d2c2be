"""One run: scan every file's bytes, parse the few that matter, check them, and collect what is to be reported.

Work is cut into tasks that any `concurrent.futures.Executor` can run; results are sorted, so that the number of workers
changes nothing. Every worker keeps one `Project`, whose files are read when somebody asks.
"""

from __future__ import annotations

import codecs
import gc
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from connlint import __version__
from connlint.cards import Card, Rules
from connlint.checks import CHECKS, CODE_WORDS, PROJECT_CHECKS
from connlint.config import Config
from connlint.discover import (
    CODE,
    JAVASCRIPT,
    MAX_SIZE,
    NOTEBOOK,
    PYTHON,
    Selection,
    SetAside,
    set_aside_by_content,
)
from connlint.model.finding import Draft, Finding, Suppression
from connlint.model.problem import Problem
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.patterns import regex
from connlint.project.answer import Found
from connlint.project.tree import Tree
from connlint.sieve import IMPORTED, Sieve, imported_modules

# A hook that has nothing to parse must not wait for what parsing needs: these are imported when they are first used
if TYPE_CHECKING:
    from concurrent.futures import Executor

    from connlint.model.program import Program
    from connlint.project.linker import Linker
    from connlint.project.placement import Placement
    from connlint.project.project import Project, Reader
    from connlint.project.stage import Stages

SUPPRESSION = b"connlint:"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
FILES_PER_WORKER = 120
"""Below this many files a second process costs more than it saves."""


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
                 reported: frozenset[str] | None = None) -> None:
        self.tree = tree
        self.reported = reported
        self.rules = rules
        self.config = config
        self.options = options
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
        project = Project(self.tree, {s: reader_for(s) for s in suffixes}, self.linkers)
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
        of_cards = [word.encode() for card in self.cards.values() if card.check == check
                    for word in card.options.get("words", ())]
        words = CODE_WORDS.get(check) or of_cards
        return any(any(word in data for word in words) and (check != "import-chain" or self.runs_ours(path, data))
                   for path in self.reported for data in (self.tree.read(path) or b"",))

    def runs_ours(self, path: str, data: bytes) -> bool:
        """See `connlint.project.loading.runs_ours`."""
        from connlint.project.loading import runs_ours

        return runs_ours(self.linkers["python" if _is_python(path) else "javascript"], path, data)

    def check_named(self, name: str) -> Callable[..., Iterator[Draft]]:
        """The function of a check, imported when it is first needed."""
        if name not in self.checks:
            where = CHECKS.get(name) or PROJECT_CHECKS[name]
            module, _, function = where.partition(":")
            self.checks[name] = getattr(import_module(module), function)
        return self.checks[name]

    # -- one file -------------------------------------------------------------------------------------------------

    def scan(self, path: str) -> Scanned:
        """Look at the bytes of ``path``: is it to be set aside, which rules want it parsed, do its imports hold."""
        python, notebook = _is_python(path), path.endswith(NOTEBOOK)
        try:
            data = self.tree.read(path)
        except OSError:
            data = None
        if data is None:
            if reason := _not_a_file(self.tree, path):
                return Scanned(path, set_aside=reason)
            return Scanned(path, problem=Problem("unreadable", _why_unreadable(self.tree, path), path))
        if len(data) > MAX_SIZE:
            return Scanned(path, set_aside=f"larger than {MAX_SIZE // 1_000_000} MB")
        if not notebook and (reason := set_aside_by_content(data)):
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
            drafts = list(faults(linker, path, data))
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
            python = _is_python(path)
            modules = imported_modules(_as_lines(data) if path.endswith(NOTEBOOK) else data, python=python)
            words = self.sieve.words(ids, modules, python=python)
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

    def _release(self, path: str) -> None:
        """Forget a module that has been checked, and now and then let the collector run, which is off otherwise.

        What is still there after a collection is there to stay, and need not be looked at again, until there is too
        much of it.
        """
        self.project.forget(path)
        self.released += 1
        if self.project.trim():
            gc.freeze()
        elif self.released % 48 == 0:
            gc.collect()
            gc.freeze()

    def finding(self, card: Card, draft: Draft) -> Finding | None:
        """The draft in the words of ``card``; None where the card or the configuration does not report it."""
        outcome = card.outcomes.get(draft.outcome)
        if outcome is None:
            return None
        level = self.config.level(card, draft.place.path, draft.level or outcome.level)
        if level is None:
            return None
        message = outcome.message.format_map(_Slots(draft.slots))
        return Finding(card.id, level, message, draft.place, draft.symbol, draft.steps, draft.related, draft.fix)


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


def _is_python(path: str) -> bool:
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


# -- workers ----------------------------------------------------------------------------------------------------------

_session: Session | None = None


def _enter(session: Session) -> None:
    """Give this process its session; the collector stays off since parsing makes millions of small objects."""
    global _session  # noqa: PLW0603 - a forked worker has nothing else to find it by
    _session = session
    gc.disable()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 6000))


def _scan_task(paths: list[str]) -> list[Scanned]:
    assert _session is not None
    return [_session.scan(path) for path in paths]


def _check_task(rows: list[tuple[str, tuple[str, ...]]]) -> list[Checked]:
    assert _session is not None
    return [_session.check(path, ids) for path, ids in rows]


def _project_task(check: str) -> tuple[list[tuple[str, Draft]], list[Problem]]:
    """Run a check that looks at the whole project at once; pairs of rule id and draft, and what it could not read."""
    assert _session is not None
    cards = [card for card in _session.cards.values() if card.check == check]
    function = _session.check_named(check)
    project = _session.project
    rows: list[tuple[str, Draft]] = []
    problems: list[Problem] = []
    for card in cards:
        try:
            rows += [(card.id, draft) for draft in function(project, card, _session.rules)]
        except Exception as error:
            # as for one file: what fails is said, and takes nothing from the others
            if os.environ.get("CONNLINT_TRACEBACK"):
                raise
            problems.append(Problem("internal", f"{card.id} failed: {type(error).__name__}: {error}", "."))
    project.trim()
    return rows, problems + [problem for path, problem in project.problems.items() if not path.endswith(CODE)]


class _Here:
    """Runs everything at once in this process; as much of an `Executor` as is needed."""

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def map(self, fn, *iterables, timeout=None, chunksize=1):  # type: ignore[no-untyped-def]
        return map(fn, *iterables)


def _executor(session: Session, jobs: int, files: int) -> Executor | _Here:
    jobs = jobs or min(os.cpu_count() or 1, 8)
    jobs = min(jobs, max(1, files // FILES_PER_WORKER + (files % FILES_PER_WORKER > 40)))
    if jobs > 1:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        can_fork = "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
        context = multiprocessing.get_context("fork" if can_fork else "spawn")
        return ProcessPoolExecutor(jobs, mp_context=context, initializer=_enter, initargs=(session,))
    _enter(session)
    return _Here()


def _cut(items: list[Any], parts: int) -> list[list[Any]]:
    """``items`` in about ``parts`` runs of neighbours, so that files of one folder share a worker's look-ups."""
    size = max(1, -(-len(items) // max(1, parts)))
    return [items[i : i + size] for i in range(0, len(items), size)]


def run(selection: Selection, rules: Rules, config: Config, options: Options,
        progress: Callable[[str, int, int], None] | None = None) -> Report:
    """Check ``selection`` and return the report. ``progress`` hears of a phase, files done and files in all."""
    started = time.perf_counter()
    was_enabled = gc.isenabled()
    code = list(selection.code)
    if options.notebooks:
        code = sorted((*code, *(path for path in selection.other if path.endswith(NOTEBOOK))))
    reported = frozenset((*selection.code, *selection.other))
    session = Session(selection.tree, rules, config, options,
                      None if len(reported) * 2 > len(selection.tree.paths) else reported)
    tell = progress or (lambda phase, done, total: None)
    set_aside = list(selection.set_aside)
    problems: dict[str, Problem] = {}
    failed: list[Problem] = []
    findings: list[Finding] = []
    suppressions: list[Suppression] = []
    unknown = 0
    try:
        with _executor(session, options.jobs, len(code)) as executor:
            scanned: list[Scanned] = []
            for rows in executor.map(_scan_task, _cut(code, 24)):
                scanned += rows
                tell("scanning", len(scanned), len(code))
            wanted: list[tuple[str, tuple[str, ...]]] = []
            for row in scanned:
                unknown += row.unknown_imports
                if row.set_aside:
                    set_aside.append(SetAside(row.path, row.set_aside))
                elif row.problem:
                    problems[row.path] = row.problem
                elif row.cards or row.drafts:
                    wanted.append((row.path, row.cards))
                for rule, draft in row.drafts:
                    if finding := session.finding(session.cards[rule], draft):
                        findings.append(finding)
            wanted = _with_importers(scanned, wanted, session)
            checked = 0
            # The checks of the whole project take longest, so they are begun first
            whole = [name for name in PROJECT_CHECKS if session.concerns(name)]
            of_project = executor.map(_project_task, whole)
            for results in executor.map(_check_task, _cut(wanted, 32)):
                for result in results:
                    findings += [finding for finding in result.findings if finding.place.path in reported]
                    suppressions += result.suppressions
                    if result.problem:
                        problems[result.path] = result.problem
                checked += len(results)
                tell("checking", checked, len(wanted))
            for drafts, unread in of_project:
                problems |= {problem.path: problem for problem in unread if problem.path in reported}
                failed += (problem for problem in unread if problem.kind == "internal")
                for rule, draft in drafts:
                    if draft.place.path in reported and (finding := session.finding(session.cards[rule], draft)):
                        findings.append(finding)
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
    sources = _sources(findings, suppressions, session.tree, _marked(selection))
    findings = _ordered(_suppressed(findings, suppressions, sources, session, problems))
    return Report(
        findings=tuple(findings),
        sources=sources,
        rules=rules,
        problems=(*(problems[path] for path in sorted(problems)), *failed),
        set_aside=tuple((item.path, item.reason) for item in sorted(set_aside, key=lambda s: s.path)),
        unknown_imports=unknown,
        files_checked=len(code) - sum(1 for row in scanned if row.set_aside or row.problem),
        seconds=time.perf_counter() - started,
        fail_on=config.fail_on,
        version=__version__,
        root=str(getattr(selection.tree, "root", None) or ""),
    )


def _with_importers(scanned: list[Scanned], wanted: list[tuple[str, tuple[str, ...]]],
                    session: Session) -> list[tuple[str, tuple[str, ...]]]:
    """Add files that hold no word of a rule, but import a file that does.

    A constant with a loopback address may stand in one file and be the fallback of a read in another. A card whose
    sieve has an alternative that starts with the group ``["@imported"]`` wants that: a file that meets the rest of the
    alternative, names something that stands beside the words of the card's first group in a file that passed, and
    imports that file, directly or through a barrel.
    """
    extra: dict[str, list[str]] = {}
    for card in session.sieve.cards:
        for alternative in card.sieve:
            if alternative and alternative[0] == (IMPORTED,):
                for path in _importers(scanned, card, alternative[1:], session):
                    extra.setdefault(path, []).append(card.id)
    if not extra:
        return wanted
    have = dict(wanted)
    for path, ids in extra.items():
        have[path] = (*have.get(path, ()), *ids)
    return sorted(have.items())


def _importers(scanned: list[Scanned], card: Card, groups: tuple[tuple[str, ...], ...], session: Session) -> list[str]:
    words = [word.removeprefix("py:").removeprefix("js:").encode() for word in card.sieve[0][0]]
    names = _constants([row.path for row in scanned if card.id in row.cards], words, session)
    if session.reported is None:
        for _ in range(2):
            for row in scanned:
                if row.modules and PurePosixPath(row.path).stem in _BARRELS and _stem(row.path) not in names:
                    through = [names[last] for module in row.modules if (last := _last(module)) in names]
                    if through:
                        names[_stem(row.path)] = set().union(*through)
    found = []
    whole = {name: re.compile(rb"(?<![\w$])" + re.escape(name) + rb"(?![\w$])")
             for some in names.values() for name in some}
    for row in scanned:
        if card.id in row.cards or row.set_aside or row.problem or not row.modules:
            continue
        near = [(module, last) for module in row.modules if (last := _last(module)) in names]
        if not (near or session.reported):
            continue
        data = session.tree.read(row.path) or b""
        if not session.sieve.meets(groups, data, python=_is_python(row.path), modules=row.modules):
            continue
        if not session.speaks(card.id, row.path):
            continue
        held = {name: None for _, last in near for name in names[last] if name in data and whole[name].search(data)}
        if any(not names[last].isdisjoint(held) and _is_ours(row.path, module, session) for module, last in near):
            found.append(row.path)
        elif session.reported and _takes_constants(row.path, data, words, session):
            found.append(row.path)
    return found


def _constants(paths: list[str], words: list[bytes], session: Session) -> dict[str, set[bytes]]:
    """Names that stand beside one of ``words`` outside of functions, by what others call the file."""
    if not paths:
        return {}
    from connlint.project.suspects import suspects

    names: dict[str, set[bytes]] = {}
    for path in paths:
        if data := session.tree.read(path):
            if beside := names_beside(words, data, suspects(session.project).outside(path)):
                names.setdefault(_stem(path), set()).update(beside)
    return names


def _takes_constants(path: str, data: bytes, words: list[bytes], session: Session) -> bool:
    """Whether a file that was named alone mentions a constant of one that it imports, which nobody has scanned."""
    from connlint.project.importers import importers

    near = importers(session.project).behind(path)
    names = set().union(*_constants([p for p in near if any(word in (session.tree.read(p) or b"") for word in words)],
                                    words, session).values())
    return any(name in data for name in names)


def _is_ours(path: str, module: str, session: Session) -> bool:
    """Whether an imported module, or a name imported from the file's own package, is a file of the project."""
    python = path.endswith(PYTHON)
    linker = session.linkers["python" if python else "javascript"]
    if isinstance(linker.resolve(path, module), Found):
        return True
    return python and "." not in module and isinstance(linker.resolve(path, "." + module), Found)


_BARRELS = ("index", "__init__")
_NAME_BESIDE = regex(rb"([A-Za-z_$][\w$]*)['\"]?\]?\s*[:=](?!=)")


def names_beside(words: list[bytes], data: bytes, counts: Callable[[int], bool] = lambda at: True) -> set[bytes]:
    """Names that are given a value on a line which holds one of ``words``, or on the line before it.

    ``counts`` says of the place of a word whether other files may see what stands there.
    """
    found: set[bytes] = set()
    for word in words:
        at = data.find(word)
        while at >= 0:
            if counts(at):
                start = data.rfind(b"\n", 0, max(0, data.rfind(b"\n", 0, at))) + 1
                found.update(_NAME_BESIDE.findall(data, start, at))
            at = data.find(word, at + len(word))
    return {name for name in found if len(name) > 2 and name not in (b"http", b"https", b"default", b"type")}


def _stem(path: str) -> str:
    """How other files call this one: the folder's name for a barrel."""
    pure = PurePosixPath(path)
    return pure.parent.name if pure.stem in _BARRELS else pure.stem


def _last(module: str) -> str:
    """The last part of a module specifier, without its suffix: what `_stem` is compared with."""
    last = module.rstrip("/").rpartition("/")[2] if "/" in module else module
    head, dot, tail = last.rpartition(".")
    if "/" in module or module.startswith("."):
        return head if dot and tail in ("js", "ts", "mjs", "cjs", "jsx", "tsx", "vue", "svelte") else (tail or head)
    return tail


def _suppressed(findings: list[Finding], suppressions: list[Suppression], sources: dict[str, Source],
                session: Session, unsure: Collection[str]) -> list[Finding]:
    """The findings, with the comments that cover them, and those about the comments; ``unsure`` files are half read."""
    elsewhere = [s for path, s in sources.items() if not path.endswith(CODE) and SUPPRESSION in s.data]
    if not suppressions and not elsewhere:
        return findings
    from connlint.suppressions import CHECK, apply, collect_text

    suppressions = [*suppressions, *(s for source in elsewhere for s in collect_text(source))]
    findings, drafts = apply(findings, suppressions, sources, session.rules, session.config, unsure)
    cards = [card for card in session.cards.values() if card.check == CHECK]
    return findings + [f for card in cards for draft in drafts if (f := session.finding(card, draft))]


def _marked(selection: Selection) -> list[str]:
    """The deployment files to report on that hold what may be a suppression."""
    if not selection.other:
        return []
    from connlint.languages.deployment.files import kind_of

    return [path for path in selection.other if kind_of(path) and SUPPRESSION in (selection.tree.read(path) or b"")]


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by place, without twins, and numbered where rule, symbol and file are the same."""
    seen: Counter[tuple[str, str, str]] = Counter()
    rows: list[Finding] = []
    last: tuple | None = None
    for finding in sorted(findings, key=Finding.key):
        if (key := finding.key()) == last:
            continue
        last = key
        same = (finding.rule, finding.symbol, finding.place.path)
        rows.append(replace(finding, ordinal=seen[same]))
        seen[same] += 1
    return rows


def _sources(findings: list[Finding], suppressions: list[Suppression], tree: Tree,
             marked: Iterable[str]) -> dict[str, Source]:
    """The sources of every file that a finding points at or a suppression stands in, the ``marked`` among them."""
    paths = {suppression.place.path for suppression in suppressions} | set(marked)
    for finding in findings:
        paths.add(finding.place.path)
        paths.update(step.place.path for step in (*finding.steps, *finding.related))
        if finding.fix:
            paths.update(edit.place.path for edit in finding.fix.edits)
    sources: dict[str, Source] = {}
    for path in sorted(paths):
        data = tree.read(path) or b""
        try:
            sources[path] = Source.decode(path, data, cookie=path.endswith(PYTHON))
        except ValueError:
            sources[path] = Source(path, data, "latin-1", data.decode("latin-1"))
    return sources
