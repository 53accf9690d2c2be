"""Whether a value ends where an address is no address to connect to: a server's bind, an allow-list, a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any, Literal

from connlint.checks.replaced import is_replaced
from connlint.checks.wording import Wording
from connlint.model import program as p
from connlint.patterns import alone
from connlint.project.address import Host, loopback
from connlint.project.callees import last_name
from connlint.project.disuse import Disuse
from connlint.project.elsewhere import Elsewhere, Field, field_of
from connlint.project.mentions import Mentions, outside_comments
from connlint.project.module import Module
from connlint.project.stage import Stages, words_of
from connlint.project.uses import Use, follow, references, uses
from connlint.project.values import Values

_ENDS = ("argument", "key", "attribute", "returned", "exported")
"""Uses after which a value may be somebody else's."""
_REST_OF_CLASS = 4
_REST_OF_OBJECT = 4
_REST_OF_SCHEMA = 2
"""Fields and entries that a small program must read before another that it does not read counts as of no use."""
_OF_LETTERS = frozenset(("html", "text"))
"""What a call is given under these keys, somebody reads."""
_REST_OF_FILE = 2
"""So many constants of a file must be named again for each that is not: a file of examples names few."""


class Destinations:
    """Knows from the ``[[listen]]`` tables where servers take the address they listen on."""

    def __init__(self, apis: dict[str, list[dict[str, Any]]], values: Values, wording: Wording,
                 stages: Stages) -> None:
        self.values = values
        self.elsewhere = Elsewhere(values, lambda path: stages.of_path(path) == "production")
        self.disuse = Disuse.of(values.project, stages)
        self.mentions = Mentions.of(values.project, stages)
        self.wording = wording
        self.answering = {name for entry in apis.get("answers", ())
                          for name in (*entry.get("decorators", ()), *entry.get("marks", ()))}
        self.listen: dict[str, tuple[dict[str, set[str]], list[tuple[str, set[str]]]]] = {}
        for entry in apis.get("listen", ()):
            exact, patterns = self.listen.setdefault(entry["language"], ({}, []))
            for name in entry["names"]:
                if name.startswith("*."):
                    patterns.append((name, set(entry["places"])))
                else:
                    exact[name] = set(entry["places"])

    def silent(self, module: Module, node: Any, names: list[str], host: Host) -> bool:
        """Whether all that is seen of the value says that nothing connects to it."""
        found = uses(self.values, module, node)
        if type(node) is p.Name:
            found.append(Use("named", module, node, node.id, last=not found))
        if any(self.listens(use, host) for use in found):
            return True
        if self._only_compared(found) or self._only_shown_or_allowed(found):
            return True
        if not host.scheme and not any(self.wording.says("remote", name) for name in names):
            if self._is_served(module, node, found, host):
                return True
        if self._is_allowed_elsewhere(module, node, found) or self._is_compared_elsewhere(module, found):
            return True
        if self._is_unread(module, node, found):
            return True
        reads = list(self._asked_of_schema(module, node, names)) if type(node) is p.Entry else []
        return bool(reads) and all(home is not None and self.silent(home, read, names, host) for home, read in reads)

    def serves(self, module: Module, node: Any, host: Host) -> bool:
        """Whether a call is seen to make a server listen on the value of ``node``."""
        found = uses(self.values, module, node)
        back = [there for use in found if use.kind == "argument" and use.call is not None and use.keys
                for there in follow(self.values, use.module, use.call, use.keys)]  # ``made({ host }).host``
        return any(use.kind == "argument" and self.listens(use, host) for use in (*found, *back)) or self._is_served(
            module, node, found, host)

    def _is_served(self, module: Module, node: Any, found: list[Use], host: Host) -> bool:
        """Whether other files, or what the value is handed to, make a server listen on it."""
        others = [*self.elsewhere.uses(module, node, found), *self._handed_back(module, node, found)]
        return any(self.listens(use, host) for use in others) or any(
            self._serves(there) and self.listens(there, host)
            for use in (*found, *others) for there in self.elsewhere.received(use))

    def _asked_of_schema(self, module: Module, entry: p.Entry, names: list[str]) -> Iterator[tuple[Module | None, Any]]:
        """Every place of the program that takes the variable which ``entry`` of a schema declares; None as its module
        for one that is not understood."""
        if type(entry.key) is not p.Text or entry.key.value not in names:
            return
        name = entry.key.value
        word = alone(name.encode())
        for path in sorted({module.path, *self.elsewhere.index.mentions(name, module.path)}):
            if not self.elsewhere.counts(path):
                continue
            data = self.elsewhere.index.data(path)
            written = sum(1 for found in outside_comments(word, data, python=path.endswith(".py"))
                          if path != module.path or not entry.at[0] <= found.start() < entry.at[1])
            home = self.values.project.module(path) if written else None
            members = [m for m in home.nodes(p.Member) if m.name == name] if home is not None else []
            if len(members) != written:
                yield None, entry
            yield from ((home, member) for member in members)

    def _serves(self, use: Use) -> bool:
        """Whether a call is one that serves, by its name."""
        words = set(words_of(last_name(use.call.callee) or "")) if use.call is not None else set()
        return bool(words & (self.wording.words["serving"] | self.wording.words["bind"]))

    def _is_unread(self, module: Module, node: Any, found: list[Use]) -> bool:
        """Whether the value becomes part of something whose other parts alone are read, or is never asked for."""
        if self._is_settled(module, node) or is_replaced(self.values, module, node):
            return True
        if type(node) is p.Entry and self.mentions.is_unread_entry(module, node, _REST_OF_SCHEMA):
            return True
        crowded = self.disuse.is_crowded(module.path)
        if crowded and type(above := module.parent(node)) is p.Entry and self.mentions.is_only_logged(module, above):
            return True
        if self._is_unread_key(module, node, found):
            return True
        field = field_of(self.values, module, node, found)
        least = 1 if crowded and module.program.language == "python" else _REST_OF_CLASS
        if field is not None and self.mentions.is_unread(field, least):
            return True
        # what a small program shows may stand for what it would do
        harmless = self._is_harmless if crowded else self._only_asks
        if field is not None and self.elsewhere.ends_in(field, harmless):
            return True
        if field is None and len(found) == 1 and (made := self._field_made(found[0])) is not None:
            return self.mentions.is_unread(made, least)
        return self.disuse.has(module, node) or self._is_left_over(module, node)

    def seems_unread(self, module: Module, node: Any) -> bool:
        """Whether the value is one of several in a class, schema or object, and the only thing that nothing is seen to
        ask for is this one: too little to be silent in a small program."""
        module, node = self._whole(module, node)
        found = uses(self.values, module, node)
        if type(node) is p.Entry:
            return self.mentions.is_unread_entry(module, node, 1)
        entry = module.parent(node)
        if type(entry) is p.Entry and all(use.kind in ("key", "named", "attribute", "exported") for use in found):
            return self.mentions.is_unread_entry(module, entry, 1)
        field = field_of(self.values, module, node, found)
        return field is not None and self.mentions.is_unread(field, 1)

    def _is_settled(self, module: Module, node: Any) -> bool:
        """Whether ``node`` is what ``getattr(settings, "URL", …)`` would give where nothing is set, and the files of
        that name, which make up the object, always set it at their top level."""
        above = module.parent(node)
        call: Any = module.parent(above) if type(above) is p.Argument else None
        if type(call) is not p.Call or type(call.callee) is not p.Name or call.callee.id != "getattr":
            return False
        if len(call.args) != 3 or call.args[2] is not above or type(call.args[1].value) is not p.Text:
            return False
        name, of = call.args[1].value.value, last_name(call.args[0].value)
        if of is None or not name.isidentifier():
            return False
        set_there = re.compile(rb"^%s[ \t]*(?::[^=\n]+)?=(?!=)" % name.encode(), re.M)
        return any(of in (parts := path.removesuffix(".py").split("/")[-2:]) and parts[-1] != "__init__"
                   and set_there.search(self.elsewhere.index.data(path))
                   for path in self.elsewhere.index.mentions(name, module.path)
                   if path.endswith(".py") and path != module.path and self.elsewhere.counts(path))

    def _is_left_over(self, module: Module, node: Any) -> bool:
        """Whether a constant of a module of JavaScript holds the value and nothing names it again, although the module
        goes on with others like it."""
        whole = self.values.project.module(module.path) if module.program.module_kind in ("esm", "commonjs") else None
        let = next((one for one in whole.nodes(p.Let) if one.value is not None and one.value.at == node.at),
                   None) if whole is not None else None
        if whole is None or let is None or type(whole.parent(let)) is not p.Program or self._is_named_again(whole, let):
            return False
        others = [one for one in whole.nodes(p.Let) if one is not let and type(whole.parent(one)) is p.Program and any(
            q.absent and q.text and loopback(q.text) for q in self.values.possible(whole, one.value)
            if type(one.value) is p.Logical)]
        named = sum(1 for one in others if self._is_named_again(whole, one))
        return named >= _REST_OF_FILE * (1 + len(others) - named)

    def _is_named_again(self, module: Module, let: p.Let) -> bool:
        if type(let.target) is not p.Name:
            return True
        name = let.target.id
        return _is_exported(module, name) or bool(references(module, name, let.target))

    def _only_asks(self, use: Use) -> bool:
        return use.kind == "compared" or (use.kind == "tested" and type(use.node) is not p.Loop)

    def _is_harmless(self, use: Use) -> bool:
        return self._only_asks(use) or self._shows(use)

    def _field_made(self, use: Use) -> Field | None:
        """The field of a record of the project that the use fills: ``Provider(base_url=…)``, where that has no code of
        its own for it."""
        if use.kind != "argument" or use.call is None or use.place.isdigit() or use.keys:
            return None
        made = self.values.callee(use.module, use.call)
        if made is None or type(made.node) is not p.Class or made.module.program.language != "python":
            return None
        body = made.node.body
        declared = any(type(s) is p.Let and type(s.target) is p.Name and s.target.id == use.place for s in body)
        coded = any(type(s) is p.Define and s.name in ("__init__", "__post_init__", "__new__") for s in body)
        return Field(made.module, made.node, use.place) if declared and not coded else None

    def _handed_back(self, module: Module, node: Any, found: list[Use]) -> list[Use]:
        """What the callers of a function in ``module`` do with the value that it gives back, those too that nobody had
        to read so far."""
        if not found or any(use.kind != "returned" for use in found):
            return []
        return uses(self.values, *self._whole(module, node))

    def only_shown(self, module: Module, node: Any) -> bool:
        """Whether the value ends where people read it, and nowhere else: a log, a page, a message."""
        ends = [use for use in uses(self.values, module, node) if use.last or use.kind in _ENDS]
        return bool(ends) and all(self._shows(use) for use in ends)

    def only_allowed(self, module: Module, node: Any) -> bool:
        """Whether the value ends in lists of who may call or be called, and in nothing else but what is shown."""
        return self._only_shown_or_allowed(uses(self.values, module, node))

    def is_of_no_use(self, module: Module, node: Any) -> bool:
        """Whether the value is compared at most, and nobody else comes to read it."""
        found = uses(self.values, module, node)
        return self._only_compared(found) or self._is_unread(module, node, found)

    def binds(self, module: Module, node: Any, host: Host) -> bool:
        """Whether the program listens on what the read ``node`` gives, so that it is the program's own address."""
        above = module.parent(node)
        while type(above) is p.Logical:
            node, above = above, module.parent(above)
        found = uses(self.values, module, node)
        return any(use.kind == "argument" and self.listens(use, host)
                   for use in (*found, *self.elsewhere.uses(module, node, found)))

    def _is_unread_key(self, module: Module, node: Any, found: list[Use]) -> bool:
        """Whether the value is only put into an object that the module gives to others, none of which reads it."""
        entry = module.parent(node)
        if type(entry) is not p.Entry or {use.kind for use in found} - {"key", "named", "attribute", "exported"}:
            return False
        given = any(use.keys and (use.kind == "exported" or use.place == "exports" or (
            use.kind == "named" and _is_exported(module, use.place))) for use in found)
        return given and self.mentions.is_unread_entry(module, entry, _REST_OF_OBJECT)

    def listens(self, use: Use, host: Host) -> bool:
        """Whether the use hands the value to a server that shall listen there."""
        if use.kind in ("named", "attribute", "key"):
            return not host.scheme and bool(self.wording.words["bind"].intersection(words_of(use.place)))
        if use.kind != "argument" or use.call is None:
            return False
        if not host.scheme and self._is_own_server(use):
            return True
        module = use.module
        language = "python" if module.program.language == "python" else "javascript"
        exact, patterns = self.listen.get(language, ({}, []))
        callee = use.call.callee
        name = self.values.environment.spelled(module, callee)
        if name is None and type(callee) is p.Member:
            name = "?." + callee.name
        if name is None:
            return False
        places = exact.get(name)
        if places is None:
            dotted = name if "." in name else "?." + name
            places = next((where for pattern, where in patterns if fnmatchcase(dotted, pattern)), None)
        if places is None:
            return False
        if use.keys:
            return any(key in places for key in use.keys)
        return use.place in places

    def _is_own_server(self, use: Use) -> bool:
        """Whether a function or class of the project whose name speaks of a server is told the host beside a port."""
        if use.call is None or use.place != "host" or not any(item.name == "port" for item in use.call.args):
            return False
        words = set(words_of(last_name(use.call.callee) or ""))
        if self.wording.words["serving"].isdisjoint(words) or self.wording.words["remote"].intersection(words):
            return False
        return self.values.callee(use.module, use.call) is not None

    def _allows(self, use: Use) -> bool:
        words = self._words(use)
        if bool(self.wording.words["allow"].intersection(words)):
            return not self.wording.sends(words)
        if not self.wording.names["list of allowed"].isdisjoint((use.place, *use.keys)):
            return True
        return any(not self.wording.words["list of allowed"].isdisjoint(words_of(name)) for name in use.through)

    def _words(self, use: Use) -> set[str]:
        """The words of the place to which a value goes."""
        words = set()
        if use.kind in ("named", "attribute", "key"):
            words = set(words_of(use.place))
        elif use.kind == "argument" and use.call is not None:
            callee = use.call.callee
            last = callee.name if type(callee) is p.Member else getattr(callee, "id", "")
            words = set(words_of(last)) | {w for key in use.keys for w in words_of(key)} | set(words_of(use.place))
        return words

    def sending(self, module: Module, node: Any, names: list[str],
                dials: Callable[[Use], bool]) -> Literal["", "sent", "mailed"]:
        """How people come to know the value, where that is all that is seen of it, and nothing of the program connects:
        a browser is sent there, who asked is told, or a letter tells it. "" where something else may be done with it,
        which of an address that is for the public by its name can only be what ``dials``.
        """
        module, node = self._whole(module, node)
        found = uses(self.values, module, node)
        others = self.elsewhere.uses(module, node, found)
        held = {use.keys for use in (*others, *found) if use.keys}
        ends = [use for use in (*others, *found)
                if (use.kind in _ENDS or (use.last and not (use.kind == "named" and others)))
                and not (use.kind == "key" and (use.place, *use.keys) in held) and not self._goes_on(use)
                and not self._is_kept(use)]
        mailed = [use for use in ends if self._mails(use)]
        sent = [use for use in ends if use in mailed or self.wording.sends(self._words(use)) or any(
            map(self._is_sent, use.keys)) or self._leads(use) or self._links(use) or self._gives_out(use)
                or (use.kind == "shown" and type(use.node) is p.Concat)]
        public = all(self.wording.says("public", name) for name in names)
        if not sent or not all(use in sent or self._shows(use) or self._allows(use) or (public and use.call is not None
                               and not dials(use)) or (public and use.kind in ("attribute", "returned"))
                               for use in ends):
            return ""
        return "mailed" if mailed else "sent"

    def _mails(self, use: Use) -> bool:
        """Whether the use puts the value into a letter to somebody."""
        if use.call is None:
            return False
        callee = use.call.callee
        owner = last_name(callee.of) if type(callee) is p.Member else None
        return self.wording.mails(last_name(callee) or "", owner) or not _OF_LETTERS.isdisjoint(use.keys)

    def _links(self, use: Use) -> bool:
        """Whether the use makes the value a link for people: by the name of what takes it, or in a record that they are
        answered with."""
        if any(map(self.wording.links, use.keys)):
            return True
        if use.kind == "argument" and use.call is not None and not use.place.isdigit():
            return self.wording.links(use.place) or self.wording.answers(_made(use) or "")
        return use.kind in ("key", "attribute") and self.wording.links(use.place)

    def _is_kept(self, use: Use) -> bool:
        """Whether the use keeps the value in an object's attribute, of which more is seen."""
        return use.kind == "attribute" and not use.last and type(use.node) is p.Member and type(
            use.node.of) is p.Name and use.node.of.id in ("self", "this")

    def _goes_on(self, use: Use) -> bool:
        """Whether a call makes another form of the value, which goes on as such."""
        return use.kind == "argument" and use.call is not None and self.values.wrapped(use.module, use.call) is use.node

    def _leads(self, use: Use) -> bool:
        """Whether the use leads a browser away, or says where a page stands."""
        names = self.wording.names["leading"]
        if not names.isdisjoint(use.keys):
            return True
        if use.kind in ("key", "returned") and use.module.path.rpartition("/")[2].partition(".")[0] in (
                self.wording.names["listing pages"]):
            return True
        if use.kind == "argument" and use.call is not None:
            callee = use.call.callee
            owner = last_name(callee.of) or "" if type(callee) is p.Member else None
            return self.wording.leads(last_name(callee) or "", owner)
        return use.kind in ("key", "attribute") and use.place in names

    def _gives_out(self, use: Use) -> bool:
        """Whether the use is part of what people read, or of the answer that somebody gets who asked the program."""
        names = (use.place, *use.keys)
        if not self.wording.names["given out"].isdisjoint((*use.keys, *map(".".join, pairwise(names)))):
            return True
        if use.kind == "argument" and use.call is not None:
            if any(not self.wording.words["called by pages"].isdisjoint(words_of(name)) for name in names):
                return False  # the page's own program connects there
            callee = use.call.callee
            owner = _first_name(callee.of) if type(callee) is p.Member else None
            return self.wording.gives_out(last_name(callee) or "", owner)
        if use.kind == "attribute" and type(use.node) is p.Member:
            return self.wording.gives_out(use.place, _first_name(use.node.of))
        if use.kind == "key":
            return use.place in self.wording.names["given out"]
        function = use.module.function(use.node) if use.kind == "returned" else None
        return function is not None and any(
            last_name(mark.callee if type(mark) is p.Call else mark) in self.answering for mark in function.decorators)

    def _whole(self, module: Module, node: Any) -> tuple[Module, Any]:
        """``node`` in its module, of which nothing is left unread."""
        whole = self.values.project.module(module.path)
        if whole is None or whole is module:
            return module, node
        same = next((other for other in whole.nodes(type(node)) if other.at == node.at), None)
        return (module, node) if same is None else (whole, same)

    def _is_sent(self, key: str) -> bool:
        return self.wording.sends(words_of(key))

    def _is_allowed_elsewhere(self, module: Module, node: Any, found: list[Use]) -> bool:
        """Whether other files make the value part of a list of who may call, and nothing else. They are read only where
        each of their lines speaks of such a list."""
        if any(use.kind in ("argument", "returned") or (use.last and not use.keys and module.function(use.node))
               for use in found):
            return False
        lines = self.elsewhere.lines(module, node, found)
        allow = self.wording.words["allow"] | self.wording.names["list of allowed"]
        if not lines or not all(allow.intersection(words_of(line.decode("utf-8", "replace"))) for line in lines):
            return False
        there = [use for use in self.elsewhere.uses(module, node, found) if use.last or use.kind in _ENDS]
        return len(there) >= len(lines) and all(self._allows(use) for use in there)

    def _is_compared_elsewhere(self, module: Module, found: list[Use]) -> bool:
        """Whether the value is part of an object that the module gives to others, which compare it and nothing else."""
        paths = {use.keys for use in found if len(use.keys) > 1 and (use.kind == "exported" or use.place == "exports")}
        return len(paths) == 1 and self.elsewhere.is_only_compared(module, paths.pop())

    def _only_shown_or_allowed(self, found: list[Use]) -> bool:
        """Whether all that the value becomes is shown to somebody, compared, or part of a list of who may call."""
        logged = {key for use in found if use.kind == "argument" and self._shows(use) for key in use.keys}
        ends = [use for use in found if use.last or (
            use.kind in _ENDS and not (use.kind == "key" and use.place in logged))]
        return bool(ends) and all(self._shows(use) or self._allows(use) for use in ends)

    def _shows(self, use: Use) -> bool:
        display = self.wording.words["display"]
        if use.kind in ("part", "shown") or display.intersection(words_of(use.place)):
            return True
        if use.keys and display.intersection(words_of(use.keys[-1])):
            return True
        if use.kind != "argument" or use.call is None or (use.keys and not self._is_logged(use.call.callee)):
            return False
        last = last_name(use.call.callee) or ""
        if self.wording.words["redact"].intersection(words_of(last)):
            # ``print(redacted(url))``: what is left of it is shown, or nobody could use it
            return True
        return last in self.wording.names["display"] or (type(use.call.callee) is p.Name and self._logs(last))

    def _is_logged(self, callee: Any) -> bool:
        """Whether a method of a log is called, or a function that logs by its name, to which an object is a line like
        any other."""
        if type(callee) is p.Name:
            return self._logs(callee.id)
        return type(callee) is p.Member and self.wording.says("logger", last_name(callee.of) or "")

    def _logs(self, name: str) -> bool:
        """Whether a function says by its name that it logs: ``logSuccess``, and not ``logIn``."""
        first, *rest = words_of(name) or ("",)
        return bool(rest) and first in self.wording.words["logger"] and rest[0] not in ("in", "out", "on", "off")

    def _only_compared(self, found: list[Use]) -> bool:
        return {use.kind for use in found if use.kind != "tested"} == {"compared"}


def _is_exported(module: Module, name: str) -> bool:
    """Whether a statement of the module exports what it calls ``name``."""
    return any(exported.local == name for export in module.nodes(p.Export) for exported in export.names)


def _made(use: Use) -> str | None:
    """The class of which the call of ``use`` makes an object, by its name, as far as that tells; ``cls`` is the class
    around."""
    name = last_name(use.call.callee) if use.call is not None else None
    if name == "cls":
        around = next((above for above in use.module.parents(use.node) if type(above) is p.Class), None)
        return around.name if around is not None else None
    return name if name is not None and name[:1].isupper() else None


def _first_name(node: Any) -> str | None:
    """What a chain of members and calls begins with: ``res`` of ``res.status(201)``; None where that is no name."""
    while type(node) in (p.Member, p.Call):
        node = node.of if type(node) is p.Member else node.callee
    return node.id if type(node) is p.Name else None
