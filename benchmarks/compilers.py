"""What compilers say of a file before and after an edit; they know nothing of connlint.

Python is compiled by this very interpreter, JavaScript asked of ``node --check``, and TypeScript, Vue, Svelte and files
with JSX of the TypeScript compiler, which is installed through npm into a folder that is kept. Types of packages are
mostly not there, and a compiler then complains of much: what counts is what it complains of after the edit alone.
YAML and JSON are loaded; nothing but what the edit concerns may have got another value.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from shutil import which
from types import TracebackType

import yaml

from connlint.model.finding import Edit
from connlint.model.source import Source

PACKAGES = ("typescript@5.9.3", "@types/node@22.20.5", "@types/react@19.3.0", "rxjs@7.8.2", "vue@3.5.45", "zod@3.25.76")
"""What is installed beside the compiler, so that the commonest names mean something."""
_TYPED = (".ts", ".tsx", ".mts", ".cts", ".jsx", ".vue", ".svelte")
_PLAIN = (".js", ".mjs", ".cjs")
_NOT_INSTALLED = frozenset({2304, 2307, 2503, 2552, 2580, 2584, 2591, 2792, 7016})
"""Codes of names and modules that are not found: said of a package that is missing, they may be said once more."""
_OF_BUNDLERS = "on type 'ImportMeta'."
"""What is said of every ``import.meta.env`` where the types of the bundler are not installed."""

Row = tuple[int, str, int]
"""Code, message, and the character of the file before the edit; -1 for what stands in the edited text."""


class Compilers:
    """The compilers of one run; a context that ends the one which goes on running."""

    def __init__(self, cache: Path) -> None:
        self.node = which("node")
        self._typescript: subprocess.Popen[str] | None = None
        if self.node is None:
            print("node is not installed: JavaScript and TypeScript are NOT compiled", file=sys.stderr)
        elif self._installed(cache):
            script = Path(__file__).with_name("typescript_errors.mjs")
            self._typescript = subprocess.Popen(
                [self.node, "--max-old-space-size=2048", str(script), str(cache)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True, encoding="utf-8")
        else:
            print("npm could not install TypeScript: TypeScript is NOT compiled", file=sys.stderr)

    def __enter__(self) -> Compilers:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._typescript is not None:
            assert self._typescript.stdin is not None
            self._typescript.stdin.close()
            self._typescript.wait()

    def _installed(self, cache: Path) -> bool:
        """Whether all of `PACKAGES` are in the folder, now or already."""
        wanted = cache / "packages.json"
        if wanted.is_file() and json.loads(wanted.read_text()) == list(PACKAGES):
            return True
        npm = which("npm")
        if npm is None:
            return False
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "package.json").write_text("{}")
        done = subprocess.run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES], cwd=cache,
                              capture_output=True, check=False)
        if done.returncode == 0:
            wanted.write_text(json.dumps(PACKAGES))
        return done.returncode == 0

    def complaints(self, file: Path, before: Source, after: Source, edits: Iterable[Edit]) -> list[str] | None:
        """What is wrong with ``file``, which holds ``after``, and was not before; None where no compiler knows it."""
        own = [edit for edit in edits if edit.place.path == before.path]
        if file.name.startswith(".env") or file.name.endswith(".env"):
            return [f"line {n} sets nothing" for n, line in enumerate(after.text.splitlines(), 1)
                    if line.strip() and not line.lstrip().startswith("#") and "=" not in line
                    and line not in before.text.splitlines()]
        if before.path.endswith((".py", ".pyi")):
            return _of_python(before, after, own)
        if before.path.endswith((".yml", ".yaml", ".json")):
            return _of_data(before, after)
        if before.path.endswith(_PLAIN) and self.node is not None:
            said = self._checked(file)
            if said is None:
                return []
            file.write_bytes(before.data)
            was = self._checked(file)
            file.write_bytes(after.data)
            if was is None:
                return [said]
        if not before.path.endswith((*_PLAIN, *_TYPED)) or self._typescript is None:
            return None
        old = [(code, message, at) for code, message, at in self._errors(file, before)]
        new = [(code, message, _back(before, own, at)) for code, message, at in self._errors(file, after)]
        return _new(before, old, new, own)

    def _checked(self, file: Path) -> str | None:
        """Why node does not take the file; None where it does."""
        assert self.node is not None
        done = subprocess.run([self.node, "--check", file], capture_output=True, text=True, check=False)
        return None if done.returncode == 0 else next(
            (line for line in done.stderr.splitlines() if "Error" in line), "node --check fails")

    def _errors(self, file: Path, source: Source) -> list[Row]:
        """The errors of a file with this content; places are characters of the text."""
        assert self._typescript is not None
        assert self._typescript.stdin is not None
        assert self._typescript.stdout is not None
        self._typescript.stdin.write(json.dumps({"path": str(file), "text": source.text}) + "\n")
        self._typescript.stdin.flush()
        answer = json.loads(self._typescript.stdout.readline())
        if isinstance(answer, dict):
            raise RuntimeError(answer["failed"])
        units = source.text.encode("utf-16-le")
        return [(one["code"], one["message"], len(units[: 2 * one["at"]].decode("utf-16-le", "replace")))
                for one in answer]


def _back(before: Source, edits: list[Edit], at: int) -> int:
    """The character of the file before the edits that has become ``at``; -1 inside of what is new."""
    shift = 0
    for edit in sorted(edits, key=lambda edit: edit.place.at):
        start, stop = (before.byte_to_char(byte) for byte in edit.place.at)
        if at < start + shift:
            break
        if at < start + shift + len(edit.text):
            return -1
        shift += len(edit.text) - (stop - start)
    return at - shift


def _new(before: Source, old: list[Row], new: list[Row], edits: list[Edit]) -> list[str]:
    """The messages of ``new`` that ``old`` does not account for, place by place; those of edited text among each other.
    """
    spans = [tuple(before.byte_to_char(byte) for byte in edit.place.at) for edit in edits]
    known = Counter((code, message, -1 if any(a <= at < b for a, b in spans) else at) for code, message, at in old)
    missing = {(code, message) for code, message, _ in old if code in _NOT_INSTALLED or message.endswith(_OF_BUNDLERS)}
    found = []
    for row in new:
        if known[row] > 0:
            known[row] -= 1
        elif row[:2] not in missing:
            found.append(f"TS{row[0]}: {row[1].splitlines()[0]}")
    return found


def _of_data(before: Source, after: Source) -> list[str] | None:
    """Whether a file of values loads as before, with as many documents; None where it did not load (a template)."""
    loads = json.loads if before.path.endswith(".json") else lambda text: list(yaml.safe_load_all(text))
    try:
        old = loads(before.text)
    except (ValueError, yaml.YAMLError):
        return None
    try:
        new = loads(after.text)
    except (ValueError, yaml.YAMLError) as error:
        return [f"{type(error).__name__}: {error}"]
    if type(old) is not type(new) or (isinstance(old, list) and len(old) != len(new)):
        return ["the file has another shape"]
    changed = _differences(old, new)
    return [] if 0 < changed <= _MOST_VALUES else [f"{changed} values are others"]


_MOST_VALUES = 12


def _differences(old: object, new: object) -> int:
    """How many values of a tree are others."""
    if isinstance(old, dict) and isinstance(new, dict):
        return sum(_differences(old.get(key), new.get(key)) for key in {*old, *new})
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return sum(_differences(a, b) for a, b in zip(old, new, strict=True))
    return int(old != new)


def _of_python(before: Source, after: Source, edits: list[Edit]) -> list[str]:
    """Whether the file compiles as before, and every statement of the top level that was not touched says the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            old = ast.parse(before.data)
            compile(before.data, before.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return []  # it was broken
        try:
            compile(after.data, after.path, "exec", dont_inherit=True)
            new = ast.parse(after.data)
        except (SyntaxError, ValueError) as error:
            return [f"{type(error).__name__}: {error}"]
    lines = {line for edit in edits for line in range(before.line(edit.place.at[0]), before.line(edit.place.at[1]) + 1)}
    said = Counter(ast.dump(statement) for statement in new.body)
    return [f"the statement on line {statement.lineno} says something else" for statement in old.body
            if lines.isdisjoint(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
            and not said[ast.dump(statement)]]
