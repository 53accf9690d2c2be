"""What names say about values: variables to listen on, allow-lists, agents, tests. Words come from the tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connlint.patterns import regex
from connlint.project.address import HOLE, Host
from connlint.project.project import Project
from connlint.project.stage import words_of

_PREFIX = regex(r"^(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|NUXT|EXPO_PUBLIC|PUBLIC|GATSBY|VUE_APP|NG_APP)_")


class BrowserNames:
    """The ``[[browser]]`` tables, ready to be asked which variables a browser reads."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.prefixes = tuple(prefix for entry in entries for prefix in entry.get("prefixes", ()))
        self.words = {word for entry in entries for word in entry.get("words", ())}
        self._weak = {word for entry in entries for word in entry.get("weak", ())}
        self._inside = {word for entry in entries for word in entry.get("inside", ())}

    def say(self, name: str) -> bool:
        """Whether a variable of this name is read by a browser, or tells one where to go."""
        found = set(words_of(name))
        told = found & self.words
        return name.startswith(self.prefixes) or bool(told - self._weak or (told and not found & self._inside))


class Wording:
    """The ``[[wording]]`` tables, ready to be asked."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.names: dict[str, set[str]] = {}
        self.words: dict[str, set[str]] = {}
        self.bare: dict[str, set[str]] = {}
        self.ports: dict[str, set[int]] = {}
        self.ends: dict[str, tuple[str, ...]] = {entry["kind"]: tuple(entry.get("ends", ())) for entry in entries}
        for entry in entries:
            kind = entry["kind"]
            self.names.setdefault(kind, set()).update(entry.get("names", ()))
            self.words.setdefault(kind, set()).update(entry.get("words", ()))
            self.bare.setdefault(kind, set()).update(entry.get("bare", ()))
            self.ports.setdefault(kind, set()).update(entry.get("ports", ()))

    def says(self, kind: str, name: str) -> bool:
        """Whether a variable's name (or another identifier) says ``kind``."""
        return name in self.names.get(kind, ()) or bool(self.words.get(kind, set()).intersection(words_of(name)))

    def listens(self, name: str, host: Host | None, text: str) -> bool:
        """Whether a variable of this name, with this default, holds an address to listen on."""
        if self.says("bind", name):
            # ``HOST=http://localhost`` is joined with the port on which the program itself listens
            foreign = host is not None and host.scheme not in ("", "tcp") and host.port is not None
            return not (name in self.names["bind"] and foreign)
        if host is None or host.scheme or self.says("remote", name):
            return False
        name = _PREFIX.sub("", name)
        if host.everywhere and ("," not in text):
            return True
        return name in self.names["bind"] or name in self.bare["bind"] or name.endswith(self.ends["bind"])

    def allows(self, name: str, host: Host | None) -> bool:
        """Whether a variable of this name, with this default, says who may call rather than where to call."""
        if self.says("allow", name):
            return True
        return host is not None and not host.scheme and bool(self.bare["allow"].intersection(words_of(name)))

    def sends(self, words: Collection[str]) -> bool:
        """Whether a name of these words says where somebody is sent, and is no list of who may be."""
        sent, told = self.words["sent"], set(words)
        return bool(sent & told) and not (self.bare["sent"] & told) and not ((self.words["allow"] - sent) & told)

    def leads(self, name: str, owner: str | None) -> bool:
        """Whether a call of a function or method ``name`` (of ``owner``, None for none) leads a browser away."""
        if name in self.names["leading"]:
            return True
        of = self.bare["leading"].intersection(words_of(owner)) if owner is not None else name == "push"
        return name in self.words["leading"] and bool(of)

    def gives_out(self, name: str, owner: str | None) -> bool:
        """Whether a function, method or attribute ``name`` (of ``owner``, None for none) gives to people what it gets,
        as an answer does."""
        if name in self.names["given out"]:
            return True
        of = self.bare["given out"].intersection(words_of(owner)) if owner is not None else ()
        return name in self.words["given out"] and bool(of)

    def mails(self, name: str, owner: str | None = None) -> bool:
        """Whether a function of this name (of ``owner``, None for none) sends letters."""
        told = set(words_of(name))
        of = {*told, *(words_of(owner) if owner is not None else ())}
        return name in self.names["letter"] or (bool(self.words["letter"] & of) and bool(self.bare["letter"] & told))

    def links(self, name: str) -> bool:
        """Whether what has this name is a link that somebody is given."""
        told = words_of(name)
        return name in self.names["linked"] or (
            told[-1:] != () and told[-1] in self.bare["linked"] and not self.words["linked"].isdisjoint(told))

    def answers(self, name: str) -> bool:
        """Whether a class of this name is what somebody is given who asked."""
        told = words_of(name)
        return not self.words["answer"].isdisjoint(told) or (told[-1:] != () and told[-1] in self.bare["answer"])

    def identifies(self, name: str, host: Host | None) -> bool:
        """Whether a variable of this name, with this default, says who the program is."""
        plain = host is not None and not host.scheme and host.port is None
        return plain and words_of(name)[-1:] != () and words_of(name)[-1] in self.bare["identity"]

    def agent(self, name: str, host: Host | None) -> bool:
        """Whether the variable means an agent that is documented to run beside the program."""
        return self.says("agent", name) or (host is not None and host.port in self.ports.get("agent", ()))


def wording_of(project: Project, apis: dict[str, list[dict[str, Any]]]) -> Wording:
    """The one `Wording` of a project."""
    found = project.memo.get(Wording)
    if found is None:
        found = project.memo[Wording] = Wording(apis.get("wording", []))
    return found


def listed(names: list[str]) -> str:
    """Names as a sentence has them: ``A``, ``A and B``, ``A, B and C``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def shown_variable(name: str) -> str:
    """A variable's name for a message; unknown parts as an ellipsis."""
    return name.replace(HOLE, "…")
