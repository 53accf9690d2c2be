"""Run connlint and other linters on the same published packages, and print what each finds, and at what cost.

    python benchmarks/peers.py [--cache FOLDER] [--only PACKAGE,…] [--runs N]

The first run installs the others (`TOOLS`, through pip and npm) and downloads the packages (`PACKAGES`, as they are
published) into the cache folder; nothing of them is executed but what pip asks a source distribution for. What a
package was compiled to is left out where its sources are there too. Each tool then runs on each package that holds its
languages, in a process of its own and with all its workers, and the tools take turns.

What they are asked for is as alike as it can be: their own rules where there are some, and rules for them in `peers/`
otherwise. A number is what a tool reports of a subject, behind the stroke how much of that connlint reports too, on the
same line; nobody has judged it here. "-" is what a tool has no rule for.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import venv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from side_by_side import once

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "connlint-benchmarks" / "peers"
TOOLS = {"semgrep": "semgrep==1.180.0", "ast-grep": "ast-grep-cli==0.51.1", "pylint": "pylint==4.1.4"}
NODE_TOOLS = (
    "eslint@9.39.1", "typescript@5.9.3", "typescript-eslint@8.73.0", "eslint-plugin-import-x@4.18.1",
    "eslint-import-resolver-typescript@4.4.5", "eslint-plugin-react-web-api@1.52.8",
)
PACKAGES = {
    "npm": ("statsd@0.9.0", "Haraka@3.3.4", "moleculer@0.15.2", "express-gateway@1.16.11", "@hocuspocus/server@4.7.0",
            "ra-ui-materialui@5.15.4", "matrix-js-sdk@43.0.0"),
    "pip": ("rq==3.0.0", "flower==2.2.0", "gunicorn==27.0.1", "locust==2.47.0", "buildbot==4.3.0"),
}
"""Libraries, services and tools, from ten files to a thousand."""

SUBJECTS = {
    "fallback": ("env-localhost-fallback",),
    "timer": ("interval-not-cleared",),
    "task": ("task-not-cancelled",),
    "listener": ("listener-not-removed",),
    "file": ("handle-not-closed",),
    "client": ("module-scope-pool",),
    "name": ("missing-symbol", "missing-module"),
}
"""What is compared, and connlint's rules for it."""
_OF_ESLINT = {
    "react-web-api/no-leaked-interval": "timer", "react-web-api/no-leaked-event-listener": "listener",
    "import-x/named": "name", "import-x/no-unresolved": "name",
}
_OF_PYLINT = {"consider-using-with": "file", "no-name-in-module": "name"}
_PYTHON = (".py",)
_JAVASCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")

Row = tuple[str, str, int]
"""Subject, path below the package, line."""


class Tool(NamedTuple):
    """How one is run, on what, and how its report is read; ``knows`` are the subjects that it has a rule for."""

    command: list[str]
    suffixes: tuple[str, ...]
    knows: frozenset[str]
    rows: Callable[[str, Path], Iterator[Row]]


# -- what is needed ---------------------------------------------------------------------------------------------------


def install(cache: Path) -> None:
    """The tools, each in a place of its own, unless they are there."""
    for name, requirement in TOOLS.items():
        folder, done = cache / name, cache / name / "installed"
        if not done.is_file() or done.read_text() != requirement:
            venv.create(folder, with_pip=True, clear=True)
            _run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", requirement])
            done.write_text(requirement)
    folder, done = cache / "eslint", cache / "eslint" / "installed"
    if not done.is_file() or done.read_text() != " ".join(NODE_TOOLS):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        _run([_found("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", *NODE_TOOLS], folder)
        done.write_text(" ".join(NODE_TOOLS))


def unpacked(cache: Path) -> dict[str, Path]:
    """The packages by name, downloaded and unpacked unless they are there."""
    found: dict[str, Path] = {}
    for kind, names in PACKAGES.items():
        for name in names:
            folder = cache / "packages" / name.replace("/", "+")
            if not (folder / "unpacked").is_file():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                       "--no-binary", ":all:", name]
                _run([_found("npm"), "pack", "--silent", name] if kind == "npm" else pip, folder)
                (archive,) = [*folder.glob("*.tgz"), *folder.glob("*.tar.gz")]
                with tarfile.open(archive) as packed:
                    packed.extractall(folder, filter="data")
                archive.unlink()
                _leave_out_what_is_compiled(folder)
                (folder / "unpacked").touch()
            found[name] = next(entry for entry in sorted(folder.iterdir()) if entry.is_dir())
    return found


def _leave_out_what_is_compiled(folder: Path) -> None:
    for sources in folder.glob("*/src"):
        for name in ("dist", "lib"):
            shutil.rmtree(sources.with_name(name), ignore_errors=True)


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise SystemExit(f"{program} is not installed, and is needed")
    return path


def _run(command: list[Any], folder: Path | None = None) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


# -- tools ------------------------------------------------------------------------------------------------------------


def tools(cache: Path) -> dict[str, Tool]:
    """Every tool by the name that the table has for it; connlint is that of this interpreter, and comes first."""
    program = str(Path(sys.executable).with_name("connlint"))
    connlint = [program, "check", ".", "--exit-zero", "--no-cache", "--format", "json"]
    chosen = [part for rules in SUBJECTS.values() for rule in rules for part in ("--select", rule)]
    eslint = cache / "eslint"
    shutil.copy(HERE / "peers" / "eslint.config.mjs", eslint)
    every = frozenset(SUBJECTS)
    return {
        "connlint": Tool([*connlint, *chosen], _PYTHON + _JAVASCRIPT, every, _of_connlint),
        "connlint, all rules": Tool(connlint, _PYTHON + _JAVASCRIPT, every, _of_connlint),
        "semgrep": Tool(
            [str(cache / "semgrep" / "bin" / "semgrep"), "scan", "--metrics=off", "--disable-version-check", "--json",
             "--quiet", "--no-git-ignore", "--config", str(HERE / "peers" / "semgrep.yml"), "."],
            _PYTHON + _JAVASCRIPT, every - {"listener", "name"}, _of_semgrep),
        "ast-grep": Tool(
            [str(cache / "ast-grep" / "bin" / "ast-grep"), "scan", "--json=stream", "--no-ignore", "vcs", "-c",
             str(HERE / "peers" / "ast-grep" / "sgconfig.yml"), "."],
            _PYTHON + _JAVASCRIPT, every - {"listener", "name"}, _of_ast_grep),
        "ESLint": Tool(
            [_found("node"), "--max-old-space-size=4096", str(eslint / "node_modules" / "eslint" / "bin" / "eslint.js"),
             "--no-config-lookup", "-c", str(eslint / "eslint.config.mjs"), "--no-inline-config", "--no-warn-ignored",
             "-f", "json", "."],
            _JAVASCRIPT, frozenset({"fallback", "timer", "listener", "client", "name"}), _of_eslint),
        "Pylint": Tool(
            [str(cache / "pylint" / "bin" / "pylint"), "--rcfile=/dev/null", "--disable=all",
             f"--enable={','.join(_OF_PYLINT)}", "-j", "0", "--recursive=y", "-f", "json", "."],
            _PYTHON, frozenset({"file", "name"}), _of_pylint),
    }


def _of_connlint(text: str, root: Path) -> Iterator[Row]:
    subjects = {rule: subject for subject, rules in SUBJECTS.items() for rule in rules}
    for finding in json.loads(text)["findings"]:
        if finding["rule"] in subjects:
            yield subjects[finding["rule"]], finding["path"], finding["start"]["line"]


def _of_semgrep(text: str, root: Path) -> Iterator[Row]:
    for found in json.loads(text)["results"]:
        yield found["check_id"].rpartition(".")[2].partition("-")[0], found["path"], found["start"]["line"]


def _of_ast_grep(text: str, root: Path) -> Iterator[Row]:
    for line in text.splitlines():
        found = json.loads(line)
        yield found["ruleId"].partition("-")[0], found["file"], found["range"]["start"]["line"] + 1


def _of_eslint(text: str, root: Path) -> Iterator[Row]:
    for file in json.loads(text):
        path = os.path.relpath(file["filePath"], root)
        for found in file["messages"]:
            subject = _OF_ESLINT.get(found["ruleId"] or "")
            if found["ruleId"] == "no-restricted-syntax":
                subject = found["message"]
            if subject is not None:
                yield subject, path, found["line"]


def _of_pylint(text: str, root: Path) -> Iterator[Row]:
    for found in json.loads(text or "[]"):
        yield _OF_PYLINT[found["symbol"]], found["path"], found["line"]


# -- the run ----------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What one tool came to on all packages."""

    rows: set[tuple[str, Row]]
    seconds: float
    megabytes: float
    packages: int


def measured(packages: dict[str, Path], every: dict[str, Tool], runs: int, output: Path) -> dict[str, Outcome]:
    """Every tool on every package; seconds are the sum of the medians of ``runs``, memory that of the largest run."""
    found = {name: Outcome(set(), 0.0, 0.0, 0) for name in every}
    for package, folder in packages.items():
        suffixes = {file.suffix for file in folder.rglob("*")}
        able = {name: tool for name, tool in every.items() if not suffixes.isdisjoint(tool.suffixes)}
        walls: dict[str, list[float]] = {name: [] for name in able}
        for _ in range(runs):
            for name, tool in able.items():
                wall, memory, text = once_read(tool.command, folder, output)
                walls[name].append(wall)
                try:
                    rows = {(package, (subject, os.path.normpath(path), line))
                            for subject, path, line in tool.rows(text, folder.resolve())}
                except (ValueError, KeyError) as error:
                    raise SystemExit(f"{name} said nothing that can be read about {package}: {error!r}") from error
                before = found[name]
                found[name] = before._replace(rows=before.rows | rows, megabytes=max(before.megabytes, memory))
        for name, seconds in walls.items():
            before = found[name]
            found[name] = before._replace(seconds=before.seconds + statistics.median(seconds),
                                          packages=before.packages + 1)
            print(f"{package}: {name} {statistics.median(seconds):.1f} s", file=sys.stderr, flush=True)
    return found


def once_read(command: list[str], folder: Path, output: Path) -> tuple[float, float, str]:
    """Wall seconds, peak megabytes and standard output of one run, which must not be a breakdown."""
    wall, memory, status = once(command, folder, output)
    text = output.read_text(encoding="utf-8")
    if not text.strip() and status not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {status} and said nothing in {folder}")
    return wall, memory, text


def table(found: dict[str, Outcome], every: dict[str, Tool]) -> str:
    """The table as Markdown."""
    ours = next(iter(found.values())).rows
    head = ["tool", "packages", "seconds", "MB", *SUBJECTS]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    for name, outcome in found.items():
        number = Counter(subject for _, (subject, _, _) in outcome.rows)
        shared = Counter(subject for _, (subject, _, _) in outcome.rows & ours)
        mine = name.startswith("connlint")
        cells = ["-" if subject not in every[name].knows else str(number[subject]) if mine or not number[subject]
                 else f"{number[subject]} / {shared[subject]}" for subject in SUBJECTS]
        lines.append(f"| {name} | {outcome.packages} | {outcome.seconds:.0f} | {outcome.megabytes:.0f} | "
                     f"{' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Install, download, run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where tools and packages are kept")
    parser.add_argument("--only", default="", help="these packages, separated by commas")
    parser.add_argument("--tools", default="", help="these tools beside connlint, separated by commas")
    parser.add_argument("--runs", type=int, default=1, help="so often each; the median counts")
    given = parser.parse_args()
    cache = given.cache.resolve()
    install(cache)
    packages = {name: path for name, path in unpacked(cache).items() if not given.only or name in given.only.split(",")}
    every = {name: tool for name, tool in tools(cache).items()
             if not given.tools or name == "connlint" or name in given.tools.split(",")}
    found = measured(packages, every, given.runs, cache / "output")
    print(table(found, every))


if __name__ == "__main__":
    main()
