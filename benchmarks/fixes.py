"""Make every edit that connlint offers, each by itself, on a copy of the checkouts given, and ask others about it.

    python benchmarks/fixes.py [--show] [--rules RULE,…] [--part K/N] [--seconds N] [--cache FOLDER] CHECKOUT...

Nothing is written into the checkouts. A row for each rule in each project, printed as soon as its edits were made, and
at the end the sums, by project and by rule; the columns:

- ``found``: findings; ``offered``: edits for them, safe and unsafe; ``left``: those for which there was no time;
  ``refused``: those that connlint itself would not make, since its proof fails. The others are made, and counted as
- ``compiled``: a compiler knows every file that was edited (Python; ``node --check``; TypeScript for all else that
  holds scripts; YAML and JSON are loaded); ``parses``: no compiler complains of anything that it did not complain of
  before;
- ``gone``: a run on the edited files does not have the finding any more; ``quiet``: nor any finding that was not there;
- ``alone``: outside of the edit's own places the files are the same, byte for byte, and every comment is still there.

All edits of a project that do not touch each other are then made together, and the whole project is checked once more.
Whatever does not hold is printed, and makes the exit status 1. ``--show`` prints every edit as a patch. ``--part 2/3``
makes every third edit of a project, beginning with the second: for one that takes longer than a run may. TypeScript is
installed through npm into the cache folder, the first time.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from compilers import Compilers

from connlint import cards
from connlint.config import Config
from connlint.discover import Selection, select
from connlint.engine import Options, run
from connlint.fixing.files import write
from connlint.fixing.offers import Offer, compatible, edited, offers
from connlint.fixing.patch import patch
from connlint.fixing.proof import fault_of_text, faults, key_of
from connlint.model.report import Report
from connlint.model.source import Source
from connlint.project.tree import OverlayTree

COLUMNS = ("found", "offered", "left", "refused", "compiled", "parses", "gone", "quiet", "alone")
WIDE = 44  # the names of projects and rules
CACHE = Path.home() / ".cache" / "connlint-benchmarks" / "typescript"
Numbers = dict[str, Counter[str]]


@dataclass(frozen=True)
class Chosen:
    """Which edits are made: those of some rules (none: of all), and of these every ``parts``-th from ``part`` on."""

    rules: frozenset[str]
    part: int = 1
    parts: int = 1

    def rule(self, name: str) -> bool:
        """Whether the edits of a rule are looked at."""
        return not self.rules or name in self.rules

    def of(self, some: Iterable[Offer]) -> list[Offer]:
        """The edits to make, in the order of their rules."""
        mine = [offer for offer in some if self.rule(offer.findings[0].rule)]
        return sorted(mine[self.part - 1 :: self.parts], key=lambda offer: offer.findings[0].rule)


class Bench:
    """One checkout: its copy, and what connlint reports there."""

    def __init__(self, copy: Path, compilers: Compilers, chosen: Chosen) -> None:
        self.root = copy
        self.compilers = compilers
        self.rules = cards.load()
        self.selection = select((copy,), copy)
        self.report = self.checked(self.selection)
        self.chosen = chosen
        self.offers = chosen.of(offers(self.report, unsafe=True))
        self.held: list[Offer] = []
        self.wrong: list[str] = []

    def checked(self, some: Selection) -> Report:
        """A run of all rules with their own settings."""
        return run(some, self.rules, Config(), Options(jobs=1))

    def refusal(self, offer: Offer, contents: Mapping[str, bytes], after: Report) -> str | None:
        """Why connlint would not make an edit; None where it would."""
        for path, data in contents.items():
            if why := fault_of_text(path, self.report.sources[path].data, data):
                return why
        return next((fault.reason for fault in faults(self.report, after, [offer], frozenset(contents))), None)

    def judged(self, offer: Offer, contents: dict[str, bytes], after: Report) -> Iterable[str]:
        """The columns of an edit that was made; what does not hold is added to ``wrong``."""
        before = {path: self.report.sources[path] for path in contents}
        left = write(self.root, {path: source.data for path, source in before.items()}, contents)
        assert not left, left
        try:
            complaints = self._complaints(offer, before, contents)
        finally:
            write(self.root, contents, {path: source.data for path, source in before.items()})
        if complaints is not None:
            yield "compiled"
            self._wrong(offer, complaints)
        if not complaints:
            yield "parses"
        treated = Counter(map(key_of, offer.findings))
        looked_at = contents.keys() | {finding.place.path for finding in offer.findings}
        was = Counter(key_of(f) for f in self.report.reported if f.place.path in looked_at)
        now = Counter(key_of(f) for f in after.reported if f.place.path in looked_at)
        stays = [f"{key[0]} stays" for key in treated if now[key] > was[key] - treated[key]]
        comes = [f"{key[0]} comes: {key[2]}" for key in now - was]
        moves = [f"{path} is edited elsewhere" for path, data in contents.items()
                 if not _is_local(offer, before[path], data)]
        for column, faulty in (("gone", stays), ("quiet", comes), ("alone", moves)):
            if not faulty:
                yield column
            self._wrong(offer, faulty)

    def _complaints(self, offer: Offer, before: Mapping[str, Source],
                    contents: Mapping[str, bytes]) -> list[str] | None:
        """What compilers say of all edited files; None where one of them has no compiler."""
        said: list[str] = []
        for path, data in contents.items():
            after = Source.decode(path, data, cookie=path.endswith(".py"))
            one = self.compilers.complaints(self.root / path, before[path], after, offer.fix.edits)
            if one is None:
                return None
            said += one
        return said

    def together(self) -> None:
        """Make all edits that hold and do not touch each other, and look at everything."""
        made = compatible(self.held)
        if made:
            tree = OverlayTree(self.selection.tree, edited(made, self.report.sources))
            after = self.checked(Selection(tree, self.selection.code, self.selection.other))
            self.wrong += [f"together: {fault.reason}" for fault in faults(self.report, after, made)]

    def place(self, offer: Offer) -> str:
        """Where an edit is offered, and what for."""
        finding = offer.findings[0]
        source = self.report.sources[finding.place.path]
        return f"{source.path}:{source.line(finding.place.at[0])} {finding.rule}"

    def _wrong(self, offer: Offer, faulty: Iterable[str]) -> None:
        self.wrong += [f"{self.place(offer)}: {what}" for what in faulty]


def _is_local(offer: Offer, before: Source, after: bytes) -> bool:
    """Whether the text between the edits is what it was, and there is nothing but the edits."""
    at = start = 0
    for edit in sorted((e for e in offer.fix.edits if e.place.path == before.path), key=lambda edit: edit.place.at):
        kept, new = before.data[start : edit.place.at[0]], edit.text.encode(before.encoding)
        if after[at : at + len(kept) + len(new)] != kept + new:
            return False
        at, start = at + len(kept) + len(new), edit.place.at[1]
    return after[at:] == before.data[start:]


def copied(checkout: Path, folder: Path) -> Path:
    """A copy of the files of a checkout, as git has them where there is a git."""
    copy = folder / checkout.name
    done = subprocess.run(["git", "clone", "--quiet", "--shared", checkout, copy], capture_output=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(checkout, copy, symlinks=True, ignore=shutil.ignore_patterns("node_modules", ".venv", ".git"))
    return copy


def measured(bench: Bench, name: str, show: bool, seconds: float) -> Iterator[tuple[str, Counter[str]]]:
    """The rules of one project with their numbers; offers that ``seconds`` do not suffice for count as ``left``."""
    until = time.monotonic() + seconds
    found = Counter(finding.rule for finding in bench.report.reported if bench.chosen.rule(finding.rule))
    offered = {rule: list(some) for rule, some in groupby(bench.offers, key=lambda offer: offer.findings[0].rule)}
    for rule in sorted(found):
        row = Counter(found=found[rule])
        for offer in offered.get(rule, ()):
            row["offered"] += 1
            if time.monotonic() > until:
                row["left"] += 1
            else:
                row.update(_tried(bench, offer, name, show))
        yield rule, row
    bench.together()


def _tried(bench: Bench, offer: Offer, name: str, show: bool) -> list[str]:
    """The columns in which one edit counts."""
    contents = edited([offer], bench.report.sources)
    looked_at = contents.keys() | {finding.place.path for finding in offer.findings}
    narrow = Selection(OverlayTree(bench.selection.tree, contents),
                       [p for p in bench.selection.code if p in looked_at],
                       [p for p in bench.selection.other if p in looked_at])
    after = bench.checked(narrow)
    refused = bench.refusal(offer, contents, after)
    if show:
        print(f"### {name} {bench.place(offer)}: {offer.findings[0].message}")
        print(f"### {offer.fix.title}{'; refused: ' + refused if refused else ''}")
        before = {path: bench.report.sources[path].data for path in contents}
        print(patch(before, contents).decode("utf-8", "replace"), flush=True)
    if refused is not None:
        return ["refused"]
    bench.held.append(offer)
    return list(bench.judged(offer, contents, after))


def line(title: str, row: Counter[str]) -> str:
    """A row of numbers under `COLUMNS`."""
    return f"{title:<{WIDE}} " + " ".join(f"{row[column]:>8}" for column in COLUMNS)


def sums(rows: Mapping[str, Counter[str]]) -> str:
    """Rows of numbers in the order of their titles, and their sum."""
    total: Counter[str] = Counter()
    for row in rows.values():
        total.update(row)
    return "\n".join(line(title, row) for title, row in [*sorted(rows.items()), ("all", total)])


def main() -> int:
    """Print the tables; 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--show", action="store_true", help="print every edit as a patch")
    parser.add_argument("--seconds", type=float, default=1e9, help="at most so long for each checkout")
    parser.add_argument("--rules", default="", help="only these, separated by commas")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="every N-th edit from the K-th on")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where TypeScript is installed")
    given = parser.parse_args()
    part, _, parts = given.part.partition("/")
    chosen = Chosen(frozenset(filter(None, given.rules.split(","))), int(part), int(parts or 1))
    by_project: Numbers = defaultdict(Counter)
    by_rule: Numbers = defaultdict(Counter)
    wrong: list[str] = []
    head = f"{'':<{WIDE}} " + " ".join(f"{column:>8}" for column in COLUMNS)
    print(head, flush=True)
    with Compilers(given.cache) as compilers:
        for checkout in map(Path.resolve, given.checkouts):
            print(checkout.name, flush=True)
            with tempfile.TemporaryDirectory(prefix="connlint-fixes-") as folder:
                bench = Bench(copied(checkout, Path(folder)), compilers, chosen)
                for rule, row in measured(bench, checkout.name, given.show, given.seconds):
                    print(line(f"  {rule}", row), flush=True)
                    by_project[checkout.name].update(row)
                    by_rule[rule].update(row)
            for what in bench.wrong:
                print(f"WRONG {checkout.name} {what}", flush=True)
            wrong += bench.wrong
    print("", head, sums(by_project), "", sums(by_rule), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
