"""What is said does not depend on the order in which a process happens to hold things."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """A client that more files import than are looked at, one of which belongs to a queue whose workers are forked."""
    files = {f"shop/part_{number:02}.py": "from shop.rows import engine\n" for number in range(20)}
    files |= {
        "shop/__init__.py": "",
        "shop/rows.py": "import os\nfrom sqlalchemy import create_engine\n\n"
                        'engine = create_engine(os.environ["DATABASE_URL"])\n',
        "shop/part_07.py": "from celery import Celery\nfrom shop.rows import engine\n\napp = Celery()\n",
        "Procfile": "worker: celery -A shop.part_07 worker\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_two_runs_say_the_same_however_sets_are_ordered(crowd: Path) -> None:
    command = [sys.executable, "-c", "from connlint.cli import main; main()", "check", ".", "--no-cache", "--format",
               "concise", "--exit-zero"]
    said = set()
    for seed in range(6):
        run = subprocess.run(command, cwd=crowd, env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True,
                             check=True, text=True)
        *lines, _time = run.stdout.splitlines()
        said.add("\n".join(lines))
    assert len(said) == 1 and "module-scope-pool" in said.pop()
