"""What becomes of every edit that connlint offers: a table for the projects given, one row a rule.

    python benchmarks/fixes.py [--show] [--rules RULE,…] [--seconds N] PROJECT...

Nothing is written into the projects. Each edit is made by itself, in memory. ``found`` counts findings, ``offered`` the
edits for them, ``left`` those for which there was no time; ``proved`` are those that connlint would make. The other
columns ask again, without connlint's own proof: ``parses`` counts the edits after which the files are as well-formed as
before (for Python by compiling them, for JavaScript by ``node --check``, for TypeScript by tree-sitter), ``gone`` those
after which a run on the edited files has the finding no more, ``others`` those that change any other finding there.
``--show`` prints every edit as a patch.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from shutil import which

from connlint import cards
from connlint.config import Config
from connlint.discover import PYTHON, Selection, select
from connlint.engine import Options, run
from connlint.fixing.offers import Offer, edited, offers
from connlint.fixing.patch import patch
from connlint.fixing.proof import fault_of_text, faults
from connlint.model.report import Report
from connlint.project.tree import OverlayTree

COLUMNS = ("found", "offered", "left", "proved", "parses", "gone", "others")
NODE = which("node")


def parses(path: str, data: bytes) -> bool | None:
    """Whether a compiler takes the file; None where there is none for it."""
    if path.endswith(PYTHON):
        try:
            compile(data, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
        return True
    if path.endswith((".js", ".mjs", ".cjs")) and NODE:
        with tempfile.TemporaryDirectory() as folder:
            for suffix in (".mjs", ".cjs"):
                file = Path(folder, f"file{suffix}")
                file.write_bytes(data)
                if subprocess.run([NODE, "--check", file], capture_output=True, check=False).returncode == 0:
                    return True
        return False
    if path.endswith((".ts", ".tsx", ".mts", ".cts", ".jsx", ".vue", ".svelte")):
        from connlint.languages.javascript.syntax import parse

        root = parse(path, data)
        return root is not None and not root.has_error
    return None


def measured(root: Path, chosen: frozenset[str], show: bool, seconds: float) -> Counter[tuple[str, str]]:
    """The numbers of one project, by rule and column; offers that ``seconds`` do not suffice for count as ``left``."""
    until = time.monotonic() + seconds
    rules = cards.load()
    selection = select((root,), root)
    options = Options(jobs=1)

    def check(some: Selection) -> Report:
        return run(some, rules, Config(), options)

    report = check(selection)
    found: Counter[tuple[str, str]] = Counter()
    for finding in report.reported:
        if not chosen or finding.rule in chosen:
            found[finding.rule, "found"] += 1
    for offer in offers(report, unsafe=True):
        rule = offer.findings[0].rule
        if chosen and rule not in chosen:
            continue
        found[rule, "offered"] += 1
        if time.monotonic() > until:
            found[rule, "left"] += 1
            continue
        contents = edited([offer], report.sources)
        before = {path: report.sources[path].data for path in contents}
        refused = next((why for path in contents if (why := fault_of_text(path, before[path], contents[path]))), None)
        after = check(Selection(OverlayTree(selection.tree, contents), [p for p in selection.code if p in contents],
                                [p for p in selection.other if p in contents]))
        refused = refused or next((fault.reason for fault in faults(report, after, [offer], frozenset(contents))), None)
        found[rule, "proved"] += refused is None
        found[rule, "parses"] += all(parses(path, data) or not parses(path, before[path])
                                     for path, data in contents.items())
        gone, others = _effect(report, after, offer, contents)
        found[rule, "gone"] += gone
        found[rule, "others"] += others
        if show:
            place = offer.findings[0].place
            line = report.sources[place.path].line(place.at[0])
            print(f"### {root.name} {place.path}:{line} {rule}: {offer.findings[0].message}")
            print(f"### {offer.fix.title}; {'refused: ' + refused if refused else 'proved'}")
            print(patch(before, contents).decode("utf-8", "replace"), flush=True)
    return found


def _effect(before: Report, after: Report, offer: Offer, contents: dict[str, bytes]) -> tuple[bool, bool]:
    """Whether what is treated is gone, and whether anything else in the edited files is another."""

    def names(of: Report) -> Counter[tuple[str, str, str]]:
        return Counter((f.rule, f.place.path, f.symbol) for f in of.reported if f.place.path in contents)

    treated = Counter((f.rule, f.place.path, f.symbol) for f in offer.findings)
    rest, now = names(before) - treated, names(after)
    return all(now[key] <= rest[key] for key in treated), any(now[key] != rest[key] for key in now | rest
                                                               if key not in treated)


def main() -> None:
    """Print the table of all projects together."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--show", action="store_true", help="print every edit as a patch")
    parser.add_argument("--seconds", type=float, default=1e9, help="at most so long for each project")
    parser.add_argument("--rules", default="", help="only these, separated by commas")
    given = parser.parse_args()
    total: Counter[tuple[str, str]] = Counter()
    for root in given.projects:
        total += measured(root.resolve(), frozenset(filter(None, given.rules.split(","))), given.show, given.seconds)
    names = sorted({rule for rule, _ in total})
    wide = max(map(len, [*names, "rule"]))
    print(f"{'rule':<{wide}}", *(f"{column:>9}" for column in COLUMNS))
    for name in [*names, "all"]:
        row = [sum(n for (rule, column), n in total.items() if column == wanted and name in (rule, "all"))
               for wanted in COLUMNS]
        print(f"{name:<{wide}}", *(f"{n:>9}" for n in row))


if __name__ == "__main__":
    main()
