"""One command that starts something: what that is, where it is looked for, and what says how it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from connlint.model.deployment import Command, Known
from connlint.model.finding import Place
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Found, Missing
from connlint.project.command_words import Entry, Options
from connlint.project.grounds import Ground
from connlint.project.services import Running

_DOTTED = regex(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$")
_TARGET = regex(
    r"(?P<module>[^:]*)(?::(?P<attribute>[A-Za-z_]\w*)(?P<deeper>(?:\.\w+)*)(?P<call>\(.*\))?)?$", re.S
)


class Target(Struct, frozen=True):
    """What a server is told to start. ``module`` is dotted, or a path where ``is_path``; ``attribute`` may be missing.

    ``call`` says that it is called first; ``deeper`` that an attribute of the attribute is meant.
    """

    text: str
    place: Place
    module: str
    attribute: str | None
    is_path: bool = False
    call: bool = False
    deeper: bool = False


class Start(Struct, frozen=True, dict=True):
    """A command that starts something: ``entry`` says how its tool works; ``running`` is the service, if it is one's.

    ``path`` is the file it stands in; ``grounds`` are where it may run, of which any may be the right one.
    """

    entry: Entry
    command: Command
    options: Options
    path: str
    running: Running | None
    grounds: tuple[Ground, ...]
    environment: Mapping[str, Known]
    loose: bool = False
    """Whether nothing says where it runs, so that ``grounds`` are guesses."""
    beside: tuple[Command, ...] = ()
    """All that the service or script starts, this command among them."""

    @property
    def tool(self) -> str:
        """The tool as it was called."""
        return self.entry["called"]

    def listed(self, key: str) -> list[str]:
        return self.entry.get(key, [])

    def variable(self, key: str) -> Known | None:
        """The first variable of the table's list ``key`` that is set."""
        return next((self.environment[name] for name in self.listed(key) if name in self.environment), None)

    @cached_property
    def configured(self) -> bool:
        """Whether a configuration of the tool's own may say more than the command."""
        if self.options.has(self.listed("config_flags")) or self.variable("config_env") is not None:
            return True
        words = [word.encode() for word in self.listed("config_words")]
        for ground in self.grounds:
            for name in self.listed("config_files"):
                answer = ground.find(name)
                if isinstance(answer, Found) and words:
                    if any(word in (ground.tree.read(answer.path) or b"") for word in words):
                        return True
                elif not isinstance(answer, Missing):
                    return True
        return False

    @cached_property
    def target(self) -> Target | None:
        """What is started; None where the command does not say it, or says it in a way that cannot be known."""
        if self.entry["form"] == "none" or self.options.has([*self.listed("stops"), *self.listed("elsewhere")]):
            return None
        found = self._written()
        if found is None or not found[0] or "$" in found[0] or "{{" in found[0]:
            return None
        target = self._parsed(*found)
        if target is None or target.attribute is not None or not self.options.has(self.listed("attribute_flags")):
            return target
        named = self.options.first(self.listed("attribute_flags"))
        if named is None or not (named.value or "").isidentifier():
            return None
        return replace(target, attribute=named.value)

    def _written(self) -> tuple[str, Place] | None:
        word = self.options.first(self.listed("target_flags"))
        if word is not None:
            return None if word.value is None else (word.value, word.place)
        known = self.variable("target_env")
        if self.listed("target_flags") or (known is not None and not self.options.plain):
            return None if known is None or known.value is None else (known.value, known.place)
        if self.entry.get("verb_is_target"):
            verbs = self.entry["verbs"]
            words = self.command.words[1:]
            return next(((w.value, w.place) for w in words if w.value is not None and w.value in verbs), None)
        plain = self.options.plain
        if not plain or plain[0].value is None or (self.options.unknown and not self._unmistakable(plain[0].value)):
            return None
        return plain[0].value, plain[0].place

    @staticmethod
    def _unmistakable(text: str) -> bool:
        return re.fullmatch(r"[\w.]+:\w+(?:\(\))?", text) is not None

    def _parsed(self, text: str, place: Place) -> Target | None:
        form = self.entry["form"]
        for prefix in self.entry.get("prefixes", {}):
            text = text.removeprefix(prefix)
        if form == "script" and text.startswith("/"):
            return None  # pnpm runs every script that the pattern matches
        if form in ("file", "script"):
            return Target(text, place, text, None, is_path=True)
        if form == "run":
            return Target(text, place, text, None, is_path=True)
        if form == "dotted":
            module, _, attribute = text.rpartition(".")
            return Target(text, place, module, attribute) if _DOTTED.match(text) and module else None
        parts = _TARGET.match(text)
        if parts is None:
            return None
        module, attribute = parts["module"], parts["attribute"]
        if form == "path" and (module.endswith(".py") or "/" in module):
            return Target(text, place, module, attribute, True, bool(parts["call"]), bool(parts["deeper"]))
        if not _DOTTED.match(module):
            return None
        return Target(text, place, module, attribute, False, bool(parts["call"]), bool(parts["deeper"]))

    @cached_property
    def module_target(self) -> Target | None:
        """What ``-m`` names, for interpreters."""
        if self.entry["form"] != "run":
            return None
        word = self.options.first(["-m"])
        if word is None or word.value is None or not _DOTTED.match(word.value):
            return None
        return Target(word.value, word.place, word.value, None)

    def script(self, ground: Ground) -> tuple[str, str] | None:
        """The package file and the name of its script that is run, where that is what the command names."""
        if self.target is None or not (self.entry["form"] == "script" or self.entry.get("scripts")):
            return None
        answer = ground.find("package.json")
        if not isinstance(answer, Found):
            return None
        table = jsonc.loads(ground.tree.read(answer.path))
        scripts = jsonc.mapping(table.get("scripts")) if isinstance(table, dict) else {}
        return (answer.path, self.target.text) if self.target.text in scripts else None

    # -- where modules are looked for -----------------------------------------------------------------------------

    @cached_property
    def search(self) -> tuple[str, ...] | None:
        """Paths, relative to the ground, in which modules are looked for; None where one of them is not known."""
        base = ""
        found: list[str] = []
        for name in self.listed("folder_flags"):
            if self.options.has([name]):
                word = self.options.first([name])
                if word is None or word.value is None or "$" in word.value:
                    return None
                base = word.value
        found.append(base)
        for name in self.listed("path_flags"):
            for word in self.options.values.get(name, ()):
                if word.value is None or "$" in word.value:
                    return None
                found += word.value.split(",")
        known = self.environment.get("PYTHONPATH")
        if known is not None:
            text = known.value if known.value is not None else known.written.strip("\"'")
            for part in re.split(r"[:;]", text):
                if "$" in part:
                    if re.fullmatch(r"\$\{?PYTHONPATH(?::?-)?\}?", part):
                        continue
                    return None
                found.append(posixpath.join(base, part.strip("\"'")) if not part.startswith("/") else part)
        return tuple(dict.fromkeys(found))
