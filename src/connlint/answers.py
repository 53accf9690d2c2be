"""Reports of earlier runs, kept for as long as everything holds that they rest on.

A report is that of a run over the same files, with the same rules, configuration and program, to which the disk gave
the same answers: `connlint.witness` writes all of them down. So a run over an unchanged project looks at the stamps of
its files and reads almost none; one over a fresh checkout reads them, and parses none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from connlint import __version__
from connlint.cache import Cache
from connlint.config import Config
from connlint.discover import PYTHON, DiskTree, Selection
from connlint.model.finding import Finding
from connlint.model.problem import Problem
from connlint.model.report import Report
from connlint.model.rule import Rules
from connlint.model.source import Source
from connlint.session import Options
from connlint.witness import Witness, digest_of

KIND = "answers"
MOST = 64
"""So many reports are kept, those that were written last: of whole projects, and of files that were named alone."""


class _Kept(Struct, array_like=True):
    """A report and what it rests on; ``body`` is only decoded where the rest holds."""

    key: bytes
    witness: Witness
    body: Raw


class _Body(Struct, array_like=True):
    findings: tuple[Finding, ...]
    sources: tuple[str, ...]
    problems: tuple[Problem, ...]
    set_aside: tuple[tuple[str, str], ...]
    unknown_imports: int
    files_checked: int


class Answers:
    """The reports that are kept in a cache."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache

    def about(self, selection: Selection, rules: Rules, config: Config, options: Options) -> Question:
        """The question what ``selection`` has to report. Nothing is known of a tree that is not on the disk."""
        return Question(self.cache, selection, rules, config, options)


class Question:
    """One run: as a context, it writes down what is asked of the tree."""

    def __init__(self, cache: Cache, selection: Selection, rules: Rules, config: Config, options: Options) -> None:
        self._cache = cache
        self._selection = selection
        self._rules = rules
        self._config = config
        self._tree = selection.tree if isinstance(selection.tree, DiskTree) else None
        self._began = cache.now() if self._tree is not None else None
        settings = _digest(repr(config), repr((options.sieve, options.notebooks)), str(selection.root))
        chosen = _digest(*selection.code, "", *selection.other)
        listed = _digest(*sorted(selection.tree.paths))
        aside = _digest(*(text for item in sorted(selection.set_aside, key=lambda s: s.path)
                          for text in (item.path, item.reason)))
        is_whole = len(selection.code) + len(selection.other) + len(selection.set_aside) >= len(selection.tree.paths)
        self._name = _digest(settings.hex(), "" if is_whole else chosen.hex()).hex()
        self._key = _digest(settings.hex(), chosen.hex(), listed.hex(), aside.hex(), _program(),
                            digest_of(msgspec.msgpack.encode(rules)).hex())

    def __enter__(self) -> Question:
        if self._tree is not None and self._began is not None:
            self._tree.witness = Witness(self._began)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._tree is not None:
            self._tree.witness = None

    def known(self) -> Report | None:
        """The report that a run would give, where there is one; its ``seconds`` are none."""
        if self._tree is None or self._began is None or (data := self._cache.read(KIND, self._name)) is None:
            return None
        try:
            kept = msgspec.msgpack.decode(data, type=_Kept)
            if kept.key != self._key or not kept.witness.still_holds(self._tree):
                return None
            body = msgspec.msgpack.decode(kept.body, type=_Body)
        except (msgspec.MsgspecError, RecursionError):
            return None
        sources: dict[str, Source] = {}
        for path in body.sources:
            content, _ = self._tree.look(path)
            seen = kept.witness.reads.get(path)
            if content is None or seen is None or digest_of(content) != seen.digest:
                return None
            sources[path] = Source.of(path, content, cookie=path.endswith(PYTHON))
        if kept.witness.was_checked_by_digest:
            # what was compared by its bytes need not be next time
            kept.witness.began = self._began
            self._keep(kept.witness, kept.body)
        return Report(body.findings, sources, self._rules, body.problems, body.set_aside, body.unknown_imports,
                      body.files_checked, fail_on=self._config.fail_on, version=__version__, root=str(self._tree.root))

    def answered(self, report: Report) -> None:
        """Keep the report of the run that was done in this context, if it is one that can be relied on."""
        witness = self._tree.witness if self._tree is not None else None
        if witness is None or witness.is_torn or not report.complete:
            return
        if any(source.data and path not in witness.reads for path, source in report.sources.items()):
            return
        body = _Body(report.findings, tuple(report.sources), report.problems, report.set_aside, report.unknown_imports,
                     report.files_checked)
        try:
            self._keep(witness, Raw(msgspec.msgpack.encode(body)))
        except (ValueError, TypeError):
            return  # a name that is no text cannot be written

    def _keep(self, witness: Witness, body: Raw) -> None:
        self._cache.write(KIND, self._name, msgspec.msgpack.encode(_Kept(self._key, witness, body)), MOST)


def _digest(*texts: str) -> bytes:
    return digest_of("\0".join(texts).encode("utf-8", "surrogatepass"))


def _program() -> str:
    """Stands for this very program: its version and files, the Python it runs on, and what is installed beside it."""
    package, installed = Path(__file__).parent, Path(msgspec.__file__).parent.parent
    # installing, upgrading or taking away a package changes the folder that it lies in
    rows = [__version__, sys.version, os.fspath(package), str(installed.stat().st_mtime_ns)]
    if package.parent != installed:
        for folder in _folders(os.fspath(package)):
            with os.scandir(folder) as entries:
                rows += sorted(f"{entry.path} {status.st_size} {status.st_mtime_ns}" for entry in entries
                               if entry.name.endswith(".py") for status in (entry.stat(),))
    return blake2b("\n".join(rows).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _folders(top: str) -> Iterable[str]:
    yield top
    with os.scandir(top) as entries:
        below = sorted(entry.path for entry in entries if entry.is_dir() and entry.name != "__pycache__")
    for folder in below:
        yield from _folders(folder)
