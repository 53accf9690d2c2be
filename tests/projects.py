"""Running connlint on small projects and reading what they want reported.

A project is a folder or a mapping of path to text. What must be reported stands in a comment on the very line
(``# want RULE [RULE …]``) or in a file ``WANT`` (``PATH:LINE RULE …``). A known mistake is marked ``todo want RULE``
(it should be reported and is not) or ``todo ok RULE`` (it is reported and should not be); a test fails when a known
mistake has gone, so that the mark goes too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from connlint import cards
from connlint.config import Config
from connlint.discover import CODE, DiskTree, Selection, list_files, set_aside_by_name
from connlint.engine import Options, run
from connlint.model.report import Report
from connlint.project.tree import MemoryTree

FIXTURES = Path(__file__).parent / "fixtures"
Site = tuple[str, int, str]
_MARK = re.compile(r"(?:#|//|<!--|/\*)\s*(todo\s+)?(want|ok)\s+([a-z][a-z -]*?)\s*(?:-->|\*/\}?)?\s*$")
RULES = cards.load()


def report(files: Path | Mapping[str, str | bytes], config: Config | None = None, named: str | None = None,
           **options) -> Report:
    """Check a project in this process; with ``named``, report on that file alone."""
    if isinstance(files, Path):
        paths, _ = list_files(files)
        tree = DiskTree(files, paths, git=False)
    else:
        ignored = files.get(".gitignore", "")
        tree = MemoryTree(files, tuple(ignored.split()) if isinstance(ignored, str) else ())
    chosen = tree.paths if named is None else {named}
    code = sorted(p for p in chosen if p.endswith(CODE) and not set_aside_by_name(p))
    other = sorted(p for p in chosen if not p.endswith(CODE))
    return run(Selection(tree, code, other), RULES, config or Config(), Options(jobs=1, **options))


def sites(report: Report) -> set[Site]:
    """Where which rule reported something that is not suppressed: path, line, rule."""
    return {(f.place.path, report.sources[f.place.path].line(f.place.at[0]), f.rule)
            for f in report.findings if f.suppression is None}


def marks(files: Path | Mapping[str, str | bytes]) -> dict[str, set[Site]]:
    """The sites that are marked "want", "todo want" and "todo ok"."""
    found: dict[str, set[Site]] = {"want": set(), "todo want": set(), "todo ok": set()}
    if isinstance(files, Path):
        texts = {p.relative_to(files).as_posix(): p.read_bytes() for p in sorted(files.rglob("*")) if p.is_file()}
    else:
        texts = {k: v if isinstance(v, bytes) else v.encode() for k, v in files.items()}
    for path, data in texts.items():
        if path == "WANT":
            for row in data.decode().splitlines():
                todo = row.startswith("todo ")
                where, *rules = row.removeprefix("todo ").split()
                file, _, line = where.rpartition(":")
                found["todo want" if todo else "want"] |= {(file, int(line), rule) for rule in rules}
            continue
        for number, row in enumerate(re.split(r"\r\n|\n|\r", data.decode("utf-8", "replace")), 1):
            if mark := _MARK.search(row):
                kind = ("todo " if mark[1] else "") + mark[2]
                found[kind] |= {(path, number, rule) for rule in mark[3].split()}
    return found


def disagreements(files: Path | Mapping[str, str | bytes], only: frozenset[str] | None = None, **options) -> list[str]:
    """Lines that say where report and marks differ; ``only`` limits both to some rules."""
    got, mark = sites(report(files, **options)), marks(files)
    if only is not None:
        got = {s for s in got if s[2] in only}
    rows = [f"missed   {p}:{n} {r}" for p, n, r in mark["want"] - got]
    rows += [f"extra    {p}:{n} {r}" for p, n, r in got - mark["want"] - mark["todo ok"]]
    rows += [f"mended   {p}:{n} {r} (take the todo away)" for p, n, r in mark["todo want"] & got]
    rows += [f"mended   {p}:{n} {r} (take the todo away)" for p, n, r in mark["todo ok"] - got]
    return sorted(rows)
