"""What a project begins with: what is there to check, a configuration for it, and what to paste elsewhere.

Texts only. Writing them, and asking before, is up to the command line.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from msgspec import Struct

from connlint.discover import CODE, NOTEBOOK, set_aside_by_name
from connlint.patterns import regex

_TABLE = "tool.connlint"
_HEADER = regex(r"^[ \t]*\[")
_OURS = regex(r"^[ \t]*\[{1,2}[ \t]*tool[ \t]*\.[ \t]*[\"']?connlint[\"']?[ \t]*[\].]")
_LANGUAGES = {
    ".py": "Python", ".pyi": "Python", ".vue": "Vue", ".svelte": "Svelte",
    **dict.fromkeys((".ts", ".tsx", ".mts", ".cts"), "TypeScript"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "JavaScript"),
}
_KINDS = {"compose": "compose file", "dockerfile": "Dockerfile", "procfile": "Procfile",
          "kustomization": "kustomization", "task definition": "task definition", "unit": "systemd unit",
          "fly.toml": "fly.toml", "railway.json": "railway.json", "railway.toml": "railway.toml",
          "render.yaml": "render.yaml"}
"""Kinds of deployment files by what they are called here; those that any project may have are not counted."""


class StarterError(ValueError):
    """The configuration cannot be put where it was wanted; the message says why."""


class Inventory(Struct, frozen=True):
    """What of a project connlint reads: the number of files, by what they are called."""

    code: tuple[tuple[str, int], ...]
    deployment: tuple[tuple[str, int], ...]
    notebooks: int = 0

    def __str__(self) -> str:
        """``12 Python files, 1 compose file``, or that there is nothing."""
        parts = [f"{number} {name}{'' if number == 1 else 's'}" for name, number in (*self.code, *self.deployment)]
        return ", ".join(parts) or "nothing that connlint reads"


def inventory(paths: Iterable[str]) -> Inventory:
    """What there is among ``paths``, the commonest first; files that would be set aside are left out."""
    from connlint.languages.deployment.files import kind_of

    code: Counter[str] = Counter()
    deployment: Counter[str] = Counter()
    notebooks = 0
    for path in sorted(paths):
        if path.endswith(CODE):
            if not set_aside_by_name(path):
                code[f"{_LANGUAGES[PurePosixPath(path).suffix]} file"] += 1
        elif path.endswith(NOTEBOOK):
            notebooks += 1
        elif (kind := kind_of(path)) in _KINDS:
            deployment[_KINDS[kind or ""]] += 1
    return Inventory(tuple(code.most_common()), tuple(deployment.most_common()), notebooks)


# -- the configuration ------------------------------------------------------------------------------------------------


def configuration(found: Inventory, header: str = "", baseline: str | None = None) -> str:
    """The settings to begin with, as TOML; ``header`` is the table that they stand in, "" for none.

    What is not decided is there as a comment, with its default.
    """
    rows = [
        ('fail-on = "warning"', "the mildest level that fails a run: note, warning, error or never"),
        (f'baseline = "{baseline}"' if baseline else '# baseline = ".connlint-baseline.json"',
         "findings that are known already; `connlint baseline` writes it"),
        ('# exclude = ["legacy/"]', "files to leave alone, as in a .gitignore"),
        ('# ignore = ["module-scope-pool"]', "rules or families to leave out; `connlint rules` lists them"),
        ("# require-reason = true", "a comment that ignores a finding has to say why"),
    ]
    if found.notebooks:
        files = f"the {found.notebooks} Jupyter notebooks" if found.notebooks > 1 else "the Jupyter notebook"
        rows.append(("# notebooks = true", f"read {files} too"))
    wide = max(len(setting) for setting, _ in rows)
    lines = [f"[{header}]" if header else "# Settings of connlint"]
    lines += [f"{setting:<{wide}}  # {meaning}" for setting, meaning in rows]
    table = f"{header}." if header else ""
    lines += ["", f"# [{table}per-file-ignores]", '# "scripts/**" = ["env-localhost-fallback"]']
    return "\n".join(lines) + "\n"


def in_pyproject(old: str, settings: str) -> str:
    """The ``pyproject.toml`` with the text ``old`` and our tables in it replaced by, or ending with, ``settings``.

    Raises `StarterError` where the rest of the file would not stay what it is.
    """
    try:
        before = _without_ours(tomllib.loads(old))
    except tomllib.TOMLDecodeError as error:
        raise StarterError(f"it is no TOML: {str(error)[:1].lower()}{str(error)[1:]}") from None
    end = "\r\n" if "\r\n" in old else "\n"
    kept, ours = [], False
    for line in old.splitlines(keepends=True):
        if _HEADER.match(line):
            ours = _OURS.match(line) is not None
        if not ours:
            kept.append(line)
    rest = "".join(kept).rstrip()
    new = (f"{rest}{end}{end}" if rest else "") + settings.replace("\n", end)
    try:
        after = tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        after = {}
    if _without_ours(after) != before or "connlint" not in after.get("tool", {}):
        raise StarterError("[tool.connlint] cannot be written into it without changing the rest")
    return new


def has_settings(pyproject: str) -> bool:
    """Whether a ``pyproject.toml`` with this text has a table of ours."""
    return any(_OURS.match(line) for line in pyproject.splitlines())


def _without_ours(table: dict[str, Any]) -> dict[str, Any]:
    tool = {name: value for name, value in table.get("tool", {}).items() if name != "connlint"}
    rest = {name: value for name, value in table.items() if name != "tool"}
    return {**rest, "tool": tool} if tool else rest


# -- what to paste ----------------------------------------------------------------------------------------------------


class Origin(Struct, frozen=True):
    """Where connlint was installed from: a ``repository`` at a ``revision``, or neither where that is not known.

    ``is_checkout`` where it was a folder: no index need have this version then, nor any of this name.
    """

    version: str
    repository: str = ""
    revision: str = ""
    is_checkout: bool = False

    @property
    def requirement(self) -> str:
        """What pip is told to install the same."""
        if self.repository:
            return f"connlint @ git+{self.repository}@{self.revision}"
        if self.is_checkout:
            return f"connlint @ git+<the repository of connlint>@v{self.version}"
        return f"connlint=={self.version}"


def hook(origin: Origin) -> str:
    """The entry of a ``.pre-commit-config.yaml``: that of the repository, or one that runs what is installed."""
    if origin.repository:
        return (f"- repo: {origin.repository}\n"
                f"  rev: {origin.revision}\n"
                "  hooks:\n"
                "    - id: connlint\n")
    return ("- repo: local\n"
            "  hooks:\n"
            "    - id: connlint\n"
            "      name: connlint\n"
            "      entry: connlint check\n"
            "      language: system\n"
            "      types: [text]\n"
            "      require_serial: true\n")


def github_workflow(origin: Origin) -> str:
    """A workflow that annotates the changed files of a pull request, and fails."""
    return ("name: connlint\n"
            "on: [push, pull_request]\n"
            "permissions:\n"
            "  contents: read\n"
            "jobs:\n"
            "  connlint:\n"
            "    runs-on: ubuntu-latest\n"
            "    steps:\n"
            "      - uses: actions/checkout@v4\n"
            "      - uses: actions/setup-python@v5\n"
            "        with:\n"
            '          python-version: "3.12"\n'
            f'      - run: pip install "{origin.requirement}"\n'
            "      - run: connlint check --format github\n")


def gitlab_job(origin: Origin) -> str:
    """A job whose findings appear in merge requests."""
    return ("connlint:\n"
            "  image: python:3.12\n"
            "  script:\n"
            f'    - pip install "{origin.requirement}"\n'
            "    - connlint check --format gitlab --output gl-code-quality-report.json\n"
            "  artifacts:\n"
            "    when: always\n"
            "    reports:\n"
            "      codequality: gl-code-quality-report.json\n")
