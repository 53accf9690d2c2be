#!/usr/bin/env python3
"""Time whole commands against each other on the same folders, in turns, and print their ratios.

    python benchmarks/side_by_side.py --runs 5 --on CHECKOUT [--on CHECKOUT …] \
        --command "connlint=connlint check --quiet --format concise ." \
        --command "ast-grep=ast-grep scan --config RULES/sgconfig.yml ."

The first command is the one that the others are compared with. Commands take turns, so that a noisy machine is noisy
for all; the minimum and the median of the wall time in seconds are shown, with the peak memory in MB.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path


def once(command: list[str], folder: Path, output: Path | None = None) -> tuple[float, float, int]:
    """Wall seconds, peak resident megabytes of the largest process, and the exit status of one run.

    What it prints is written to ``output``, and thrown away where there is none.
    """
    with (output or Path(os.devnull)).open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - started, usage.ru_maxrss / 1024, process.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("--on", action="append", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    commands = {name: shlex.split(text) for name, _, text in (c.partition("=") for c in args.command)}
    width = max(map(len, commands))
    for folder in args.on:
        rows: dict[str, list[tuple[float, float, int]]] = {name: [] for name in commands}
        for _ in range(args.runs):
            for name, command in commands.items():
                rows[name].append(once(command, folder))
        print(f"{folder.name} ({args.runs} runs, {os.cpu_count()} cores)")
        first = None
        for name, runs in rows.items():
            walls = [wall for wall, _, _ in runs]
            best, middle = min(walls), statistics.median(walls)
            first = first or middle
            status = {s for _, _, s in runs}
            print(f"  {name:{width}}  min {best:7.2f}  median {middle:7.2f}  x{middle / first:6.2f}"
                  f"  {max(m for _, m, _ in runs):6.0f} MB  exit {sorted(status)}")
    return 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
