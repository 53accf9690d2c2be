"""What the project's own file says: which rules, at which level, on which files.

The file is ``connlint.toml``, or ``pyproject.toml`` with a ``[tool.connlint]`` table. The nearest one above the folder
where connlint was started is used alone, nothing is merged. Everything wrong with it is one `ConfigError` of one line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.model.finding import LEVELS, Level
from connlint.model.rule import Card, Rules

NAMES = ("connlint.toml", "pyproject.toml")
"""Looked for in every folder, the first one wins."""

FAIL_ON = (*LEVELS, "never")


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the file, the key and what was probably meant."""


class Config(Struct, frozen=True):
    """The settings of one run.

    ``select`` and ``ignore`` hold ids of rules and names of families; nothing selected is everything. ``levels`` maps
    either to a level or "off". ``per_file_ignores`` maps globs to rules and families, ``exclude`` are globs of files to
    set aside; globs mean what they mean in ``.gitignore``, relative to ``base``. ``rules`` are folders with rules of
    the project's own, ``baseline`` is the file with the findings that are known already. ``where`` says for each key
    how a message names its place. ``root`` is the folder that the paths asked about are relative to; None is ``base``.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()
    baseline: Path | None = None
    fail_on: str = "warning"
    require_reason: bool = False
    notebooks: bool = False
    origin: Path | None = None
    base: Path | None = None
    root: Path | None = None
    where: Mapping[str, str] = field(default_factory=dict)

    # -- rules ----------------------------------------------------------------------------------------------------

    def selects(self, card: Card) -> bool:
        """Whether the rule runs at all. Its own id counts more than its family, ``ignore`` more than ``select``."""
        if self._level(card) == "off" or card.id in self.ignore:
            return False
        if card.id in self.select:
            return True
        return card.family not in self.ignore and (not self.select or card.family in self.select)

    def _level(self, card: Card) -> str | None:
        return self.levels.get(card.id) or self.levels.get(card.family)

    def level(self, card: Card, path: str, given: Level) -> Level | None:
        """The level at which a finding of ``card`` in ``path`` is reported; None is not at all.

        ``given`` is the level that the evidence earned; it stands unless ``levels`` names the rule or its family.
        """
        if not self.selects(card) or self.ignored_in(card, path):
            return None
        return cast(Level, self._level(card) or given)

    def ignored_in(self, card: Card, path: str) -> bool:
        """Whether ``per-file-ignores`` takes the rule away from the file ``path``."""
        if not self.per_file_ignores:
            return False
        from connlint.discover import matcher

        local = self.local(path)
        return local is not None and any(
            (card.id in names or card.family in names) and matcher((glob,))(local)
            for glob, names in self.per_file_ignores.items()
        )

    def excluded(self, path: str) -> bool:
        """Whether ``exclude`` sets the file ``path`` aside."""
        if not self.exclude:
            return False
        from connlint.discover import matcher

        local = self.local(path)
        return local is not None and matcher(self.exclude)(local)

    # -- places ---------------------------------------------------------------------------------------------------

    def at(self, root: Path) -> Config:
        """The same settings for paths that are relative to the folder ``root``."""
        return replace(self, root=root)

    def local(self, path: str) -> str | None:
        """``path`` as the globs see it, relative to ``base``; None where it lies outside."""
        if self.base is None or self.root is None or self.base == self.root:
            return path
        full = f"{self.root.as_posix().rstrip('/')}/{path}"
        base = f"{self.base.as_posix().rstrip('/')}/"
        return full[len(base):] if full.startswith(base) else None

    def with_command_line(self, *, select: Iterable[str] = (), ignore: Iterable[str] = (), exclude: Iterable[str] = (),
                          fail_on: str | None = None) -> Config:
        """These settings under what the command line says.

        A selection given there is a new one: what the file selects, ignores or switches off no longer counts for it.
        What is ignored or excluded there comes on top of what the file says.
        """
        select, ignore, exclude = tuple(select), tuple(ignore), tuple(exclude)
        changed, where = self, dict(self.where)
        if select:
            levels = {name: level for name, level in self.levels.items() if level != "off"}
            changed = replace(changed, select=select, ignore=(), levels=levels)
            where["select"] = "--select"
        if ignore:
            changed = replace(changed, ignore=(*changed.ignore, *ignore))
            where["ignore"] = "--ignore"
        if exclude:
            changed = replace(changed, exclude=(*changed.exclude, *exclude))
            where["exclude"] = "--exclude"
        return replace(changed, fail_on=fail_on or self.fail_on, where=where)


# -- finding and reading the file -----------------------------------------------------------------------------------


def load(start: Path, explicit: Path | None = None) -> Config:
    """The settings for a run that is started in the folder (or on the file) ``start``.

    ``explicit`` is the file to use instead of the nearest one; its globs are then relative to ``start``. The search
    goes up from ``start`` to the root of the git repository, or of the disk where there is none. Raises `ConfigError`.
    """
    start = Path(os.path.abspath(start))
    if explicit is not None:
        path, shown = start / explicit, os.fspath(explicit)
        found = _parse(path, shown, _read(path, shown), base=start)
        if found is None:
            raise ConfigError(f"{shown}: no [tool.connlint] in it")
        return found
    folder = start if start.is_dir() else start.parent
    for above in (folder, *folder.parents):
        for name in NAMES:
            path = above / name
            if path.is_file():
                shown = os.path.relpath(path, folder)
                data = _read(path, shown)
                # another tool's broken pyproject.toml is not our business
                if name == "connlint.toml" or b"connlint" in data:
                    if (found := _parse(path, shown, data, base=above)) is not None:
                        return found
        if (above / ".git").exists():
            break
    return Config(base=folder)


def _read(path: Path, shown: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{shown}: {(error.strerror or str(error)).lower()}") from None


def _parse(path: Path, shown: str, data: bytes, *, base: Path) -> Config | None:
    """The settings in ``data``; None where it is a ``pyproject.toml`` without a table of ours."""
    import tomllib

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{shown}:{line}: not UTF-8 (byte {data[error.start]:#04x})") from None
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
        if found:
            raise ConfigError(f"{shown}:{found[1]}:{found[2]}: {_lower(message[:found.start()])}") from None
        line = text.count("\n") + 1
        raise ConfigError(f"{shown}:{line}: {_lower(message.removesuffix(' (at end of document)'))}") from None
    header = ""
    if path.name == "pyproject.toml":
        header = "tool.connlint"
        tool = table.get("tool")
        table = tool.get("connlint") if isinstance(tool, dict) else None
        if table is None:
            return None
        if not isinstance(table, dict):
            raise ConfigError(f"{shown}: [tool.connlint] must be a table, not {_kind(table)}")
    return _File(path, shown, text, header).config(table, base)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


# -- what may stand in it -------------------------------------------------------------------------------------------

Shape = Literal["names", "texts", "text", "levels", "lists", "choice", "flag"]
KEYS: dict[str, Shape] = {
    "select": "names",
    "ignore": "names",
    "levels": "levels",
    "per-file-ignores": "lists",
    "exclude": "texts",
    "rules": "texts",
    "baseline": "text",
    "fail-on": "choice",
    "require-reason": "flag",
    "notebooks": "flag",
}
"""Every key, and the form of its value."""


class _File(Struct, frozen=True):
    """One configuration file while it is turned into a `Config`; knows how to point at its keys."""

    path: Path
    shown: str
    text: str
    header: str

    def config(self, table: Mapping[str, Any], base: Path) -> Config:
        values: dict[str, Any] = {}
        where: dict[str, str] = {}
        for key, value in table.items():
            place = self.place(key)
            if key not in KEYS:
                inside = f" in [{self.header}]" if self.header else ""
                hint = did_you_mean(key, KEYS)
                if key == "tool" and not self.header:
                    hint = "; the keys stand at the top level of this file, without [tool.connlint]"
                raise ConfigError(f"{place}: unknown key {key!r}{inside}{hint}")
            where[key] = f"{place}: {key}"
            values[key.replace("-", "_")] = self.value(key, KEYS[key], value, place)
        folders = tuple(self.path.parent / folder for folder in values.pop("rules", ()))
        for folder, written in zip(folders, table.get("rules", ())):
            if not folder.is_dir():
                raise ConfigError(f"{where['rules']}: no folder {written!r} beside this file")
        if "baseline" in values:
            values["baseline"] = self.path.parent / values["baseline"]
        return Config(**values, rules=folders, origin=self.path, base=base, where=where)

    def value(self, key: str, shape: Shape, value: Any, place: str) -> Any:
        """``value`` in the form that `Config` holds. Raises `ConfigError` where it is of another."""

        def wrong(wanted: str, got: Any, inside: str = "") -> ConfigError:
            return ConfigError(f"{place}: {key}{inside} must be {wanted}, not {_kind(got)}")

        def texts(items: Any, inside: str = "") -> tuple[str, ...]:
            if not isinstance(items, list):
                raise wrong("a list of strings", items, inside)
            for item in items:
                if not isinstance(item, str):
                    raise wrong("a string", item, f"{inside}: every entry")
            return tuple(items)

        def one_of(choices: tuple[str, ...], item: Any, inside: str = "") -> str:
            if item not in choices:
                if not isinstance(item, str):
                    raise wrong(f"one of {', '.join(choices)}", item, inside)
                near = did_you_mean(item, choices)
                raise ConfigError(f"{place}: {key}{inside} must be one of {', '.join(choices)}, not {item!r}{near}")
            return cast(str, item)

        if shape == "flag":
            if not isinstance(value, bool):
                raise wrong("true or false", value)
            return value
        if shape == "text":
            if not isinstance(value, str):
                raise wrong("a string", value)
            return value
        if shape == "choice":
            return one_of(FAIL_ON, value)
        if shape in ("names", "texts"):
            return texts(value)
        if not isinstance(value, dict):
            raise wrong("a table", value)
        if shape == "levels":
            return {name: one_of((*LEVELS, "off"), item, f".{name}") for name, item in value.items()}
        return {glob: texts(items, f'."{glob}"') for glob, items in value.items()}

    def place(self, key: str) -> str:
        """``file:line`` of a key (of its table, where it is one), or the file alone where the line is not found."""
        target, inside = f"{self.header}.{key}".lstrip("."), ""
        entry = re.compile(rf"[\"']?{re.escape(key)}[\"']?\s*[.=]")
        for number, line in enumerate(self.text.splitlines(), 1):
            line = line.strip()
            if line.startswith("["):
                inside = re.sub(r"[][\s\"']", "", line.partition("#")[0])
                found = inside == target or inside.startswith(f"{target}.")
            else:
                found = inside == self.header and entry.match(line) is not None
            if found:
                return f"{self.shown}:{number}"
        return self.shown


_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a table"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a date or time")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` with the nearest of ``known``, or "" where none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), known, 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def validate(config: Config, rules: Rules) -> None:
    """Raise `ConfigError` for names that are no rule and no family, and for globs that mean nothing."""
    families = rules.families()
    known = [*rules.cards, *families]
    for key, names in (
        ("select", config.select), ("ignore", config.ignore), ("levels", config.levels),
        *(("per-file-ignores", names) for names in config.per_file_ignores.values()),
    ):
        for name in names:
            if name not in rules.cards and name not in families:
                where = config.where.get(key, key)
                raise ConfigError(f"{where}: no rule or family {name!r}{did_you_mean(name, known)}")
    if config.exclude or config.per_file_ignores:
        from connlint.discover import matcher

        for key, globs in (("exclude", config.exclude), ("per-file-ignores", tuple(config.per_file_ignores))):
            for glob in globs:
                try:
                    matcher((glob,))
                except ValueError:
                    raise ConfigError(f"{config.where.get(key, key)}: {glob!r} is no glob") from None
