"""What is known about acquiring and giving back: the tables of `rules/apis/lifecycles.toml`, ready to be asked.

The fields of the entries are explained at the top of that file.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.cards import Rules
from connlint.checks.origins import Origins, attribute_values, class_of, returned
from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.module import Definition, Module
from connlint.project.project import Project

_NO_WORK = (p.Text, p.Number, p.Constant, p.Record)
_WITHOUT_TRANSACTIONS = ("mail", "http")
"""Kinds of clients whose `with` does nothing but close them."""
_WORD = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


class Api(Struct, frozen=True):
    """One way to acquire something. The fields are those of ``[[acquire]]``."""

    role: str
    language: str
    names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    what: str = ""
    release: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    confirms: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    awaiting: bool = False
    asleep: bool = False
    idle: bool = False
    calling: bool = False
    managed: bool = True
    closes: bool = False
    discarded: str = "always"
    unreleased: str = "always"
    pick: int | None = None
    when: dict[str, Any] | None = None
    unless: tuple[str, ...] = ()
    completes: tuple[str, ...] = ()
    wary: bool = False
    made_with: int = 0
    owner: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    borrows: tuple[str, ...] = ()
    reads_from: tuple[str, ...] = ()
    itself: tuple[str, ...] = ()
    itself_at: tuple[str, ...] = ("0",)
    gathered: bool = False
    iterated: bool = False
    runs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    working: bool = False
    evident: bool = False
    outlived: bool = False
    within: bool = False
    harmless: bool = False
    piped: bool = False
    linked: tuple[str, ...] = ()
    injected: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()

    @property
    def chained(self) -> bool:
        """Whether it is reported where a method is called on it at once."""
        return self.discarded in ("chained", "written")

    def writes(self, call: p.Call) -> bool:
        """Whether the call opens it in one of `modes`, where that matters."""
        if self.discarded != "written":
            return True
        mode = argument(call, "1") or argument(call, "mode")
        return type(mode) is p.Text and any(letter in mode.value for letter in self.modes)

    def undo(self, handle: str) -> str:
        """How a handle of that name is given back, as a reader would write it."""
        if self.release:
            return f"{self.release[0]}({handle})"
        return f"{handle}.{self.ends[0]}()" if self.ends else ""


class Lifecycles:
    """All entries of one language, found by the last word of a callee."""

    def __init__(self, rules: Rules, language: str) -> None:
        self.apis: list[Api] = []
        self._by_word: dict[str, list[Api]] = {}
        self._patterns: list[tuple[str, Api]] = []
        self._factories: set[str] = set()
        for entry in rules.apis.get("acquire", ()):
            if entry["language"] == language:
                self._add(_api(entry))
        for entry in rules.apis.get("client", ()):
            if entry["language"] == language:
                self.apis_of_client(entry, rules)
        for word in self._by_word.values():
            word.sort(key=lambda api: not api.names)  # what is known for sure comes before what a name suggests
        self.catching: dict[str, frozenset[str]] = {
            entry["role"]: frozenset(entry["names"]) for entry in rules.apis.get("catching", ())
            if entry["language"] == language}
        self.puts: dict[str, int] = {}
        self.looks: frozenset[str] = _words(rules, "looks", language)
        self.numbers: frozenset[str] = _words(rules, "numbers", language)
        self.spreads: frozenset[str] = _words(rules, "spreads", language)
        self.drops: frozenset[str] = _words(rules, "drops", language)
        self.measures: frozenset[str] = _words(rules, "measures", language)
        self.makers: frozenset[str] = _words(rules, "makers", language)
        for entry in rules.apis.get("puts", ()):
            if entry["language"] == language:
                self.puts.update(dict.fromkeys(entry["names"], entry["at"]))
        self.transactions = [entry for entry in rules.apis.get("transaction", ()) if entry["language"] == language]
        self.racing = [entry for entry in rules.apis.get("racing", ()) if entry["language"] == language]
        self.rewraps = _words(rules, "rewraps", language)
        self.ended = _words(rules, "ended", language)
        self.converting = _words(rules, "converting", language)
        self.handing = _words(rules, "handing", language, "callees")
        self.over = _words(rules, "over", language)
        self.collecting = _words(rules, "collecting", language)
        self.lends = _words(rules, "lends", language)
        self.copies = _words(rules, "copies", language)
        self.begins = _words(rules, "begins", language)
        self.lasting = _words(rules, "lasting", language)
        self.shows = _Names(rules, "shows", language)
        self.calm = _Names(rules, "calm", language)
        self.clocks = _Names(rules, "clocks", language)
        self.untouched = _Names(rules, "untouched", language)
        self.plain = _Names(rules, "plain", language)
        self.timed = _Names(rules, "timed", language)
        self.telling = _Names(rules, "telling", language)
        self.dropping = _Names(rules, "dropping", language)
        self.signalled = _Names(rules, "signalled", language)
        self.reads = _Names(rules, "reads", language)
        self.borrowing = _Names(rules, "borrowing", language)
        self.wrapping = _Names(rules, "wrapping", language)
        self.raising = _Names(rules, "raising", language)
        self.asking = _Names(rules, "asking", language)
        self.closing = _Names(rules, "closing", language)
        self.consuming = _Names(rules, "consuming", language)
        self.exits = _Names(rules, "exit", language)
        self.suppressing = _Names(rules, "suppressing", language)
        self.managers = _Names(rules, "manager", language)
        self.through = _Names(rules, "through", language)
        self.locks = _Names(rules, "lock", language)

    def apis_of_client(self, entry: dict[str, Any], rules: Rules) -> None:
        """What the table of clients says about connections that are lent, and about clients that are one."""
        language = entry["language"]
        if lent := entry.get("checkout"):
            by_pool = lent.get("by") == "pool"
            self._add(Api(
                "connection", language, tuple(f"{name}().{lent['method']}" for name in entry["names"]),
                release=(lent["release"],) if by_pool else (), ends=() if by_pool else (lent["release"], "destroy"),
                keeps=("detach",), what="connection", wary=language == "python",
                discarded="chained" if language == "javascript" and lent["release"] == "release" else "never",
                owner=("terminate", "close", "closeall", "end", "dispose", "disconnect"),
                within=lent.get("within", False), managed=lent.get("with") != "tx",
            ))
        for kind in rules.apis.get("client_kind", ()):
            if kind["language"] == language and entry.get("kind") in kind["kinds"] and entry.get("release"):
                at_once = entry.get("connects") in ("construct", "blocking", "explicit") or entry.get("form") == "await"
                ends = tuple(r["call"] for r in entry["release"] if "on" not in r)
                if not ends or (kind.get("at_once") and not at_once):
                    continue  # without any, what it makes is closed, and not the client
                self._add(Api(
                    "connection", language, tuple(entry["names"]), what=kind["what"], wary=language == "python",
                    ends=ends, discarded="never",
                    starts=(*entry.get("explicit", ()), *entry.get("queues", ())),
                    idle=entry.get("connects") == "explicit" or "queues" in entry,
                    asleep=entry.get("connects") == "first-use",
                    managed=entry.get("with") != "tx",
                    closes=entry.get("with") == "closes" and entry.get("kind") in _WITHOUT_TRANSACTIONS,
                    unreleased=kind["unreleased"] if at_once else "never",
                ))

    def _add(self, api: Api) -> None:
        if api.ends and api.language == "python":
            # who manages a context by hand calls these
            api = replace(api, ends=(*api.ends, "__exit__", "__aexit__"))
        self.apis.append(api)
        self._factories.update(api.called)
        for word in {name.rsplit(".", 1)[-1] for name in api.names} | set(api.methods):
            if "*" in word:
                self._patterns.append((word, api))
            else:
                self._by_word.setdefault(word, []).append(api)

    def has(self, roles: frozenset[str]) -> bool:
        """Whether anything of these roles is known in this language."""
        return any(api.role in roles for api in self.apis)

    def acquired(self, call: p.Call, origins: Origins, roles: Iterable[str]) -> Api | None:
        """What ``call`` acquires, if it is one of ``roles``."""
        callee = call.callee
        word = callee.id if type(callee) is p.Name else callee.name if type(callee) is p.Member else None
        if type(callee) is p.Call and self._is_promising(last_word(callee)):
            # ``sessions()()``: what a function hands out is called at once
            word = (origins.of(callee) or "").rsplit(".", 1)[-1]
        if word is None or self.takes_place(call, origins.module):
            return None
        imported = None
        if type(callee) is p.Name and (found := origins.module.lookup(word, callee)):
            imported = self._imported(callee, found, origins)
            if imported is None:
                return None
            word = imported.rsplit(".", 1)[-1]
        # The last word of a callee is that of its origin. Asking where every call comes from, to compare it with what
        # has a star in its name, took a quarter of the time that a large program of Python needs.
        alike = [api for pattern, api in self._patterns if fnmatchcase(word, pattern)]
        for api in (*self._by_word.get(word, ()), *alike):
            if api.itself and not _runs_itself_again(api, call, origins.module):
                continue
            if api.evident and not _is_given_back(api, call, origins.module):
                continue
            if api.linked and not _is_linked(api, callee):
                continue
            if api.role in roles and _arguments(api, call) and self._matches(api, callee, imported, origins):
                return None if completes(api, callee, origins) or _borrows(api, call, origins) else api
        return None

    def handed(self, call: p.Call, origins: Origins, roles: Iterable[str]) -> Api | None:
        """What the function acquires that is handed to ``call``, which runs it and throws away what it returns:
        ``loop.call_soon_threadsafe(asyncio.create_task, work())``."""
        given = [it.value for it in call.args if type(it.value) in (p.Name, p.Member)]
        if not given or (call, origins) not in self.dropping:
            return None
        for api in self.apis:
            if api.awaiting and api.role in roles and any(origins.of(it) in api.names for it in given):
                return api
        return None

    def takes_place(self, call: p.Call, module: Module) -> bool:
        """Whether a variable holds from now on what ``call`` makes of the handle that it held:
        ``sock = context.wrap_socket(sock)``."""
        if last_word(call.callee) not in self.rewraps or not call.args:
            return False
        given, store = call.args[0].value, module.parent(call)
        return (type(given) is p.Name and type(store) in (p.Let, p.Assign) and store.value is call
                and type(store.target) is p.Name and store.target.id == given.id)

    def _is_promising(self, word: str | None) -> bool:
        """Whether other files of the project are worth asking where a name comes from."""
        return word is not None and any(fnmatchcase(word.lower(), pattern) for pattern in self._factories)

    def _imported(self, callee: p.Name, found: list[Definition], origins: Origins) -> str | None:
        """The origin of a callee that the file binds. Other files are only asked about names that look promising."""
        if self._is_promising(callee.id):
            return origins.of(callee)
        if len(found) == 1 and found[0].kind == "import":
            return origins.module.qualified(callee)
        if any(d.kind not in ("import", "value") for d in found):
            return None
        name = origins.module.qualified(callee)
        return origins.of(callee) if name is None and len(found) == 1 else name

    def _matches(self, api: Api, callee: Any, imported: str | None, origins: Origins) -> bool:
        if type(callee) is p.Member and callee.name in api.methods:
            of = callee.of
            # ``ctx["pool"].acquire()``: a key says as much as an attribute
            receiver = of.key.value if type(of) is p.Index and type(of.key) is p.Text else last_word(of)
            if not api.on or (receiver is not None and any(fnmatchcase(receiver.lower(), word) for word in api.on)):
                return True
        if not api.names:
            return False
        name = imported or origins.of(callee)
        if name is None:
            return False
        return any(name == known or ("*" in known and fnmatchcase(name, known)) for known in api.names)


def _is_given_back(api: Api, call: p.Call, module: Module) -> bool:
    """Whether a variable is bound to what awaiting ``call`` gives, and one of `ends` is called on it."""
    above = module.parent(call)
    let: Any = module.parent(above) if type(above) is p.Await else None
    target = let.target if type(let) in (p.Let, p.Assign) else None
    if call.args or type(target) is not p.Name or module.function(call) is None:
        return False
    bound = module.lookup(target.id, target)
    return any(type(it.callee) is p.Member and it.callee.name in api.ends and type(it.callee.of) is p.Name
               and it.callee.of.id == target.id and module.lookup(target.id, it.callee.of) is bound
               for it in module.nodes(p.Call))


def _words(rules: Rules, role: str, language: str, key: str = "names") -> frozenset[str]:
    return frozenset(n for entry in rules.apis.get(role, ()) if entry["language"] == language for n in entry[key])


class _Names:
    """A table of callees: by qualified name, by method, by receiver."""

    def __init__(self, rules: Rules, role: str, language: str) -> None:
        self.names: set[str] = set()
        self.methods: set[str] = set()
        self.receivers: set[str] = set()
        self.patterns: list[str] = []
        self.words: set[str] = set()
        self._said: dict[str, bool] = {}
        for entry in rules.apis.get(role, ()):
            if entry["language"] == language:
                for name in entry.get("names", ()):
                    (self.patterns.append if "*" in name else self.names.add)(name)
                self.methods.update(entry.get("methods", ()))
                self.receivers.update(entry.get("receivers", ()))
                self.words.update(entry.get("words", ()))

    def says(self, name: str) -> bool:
        """Whether a word of ``name`` is (or, where it is long enough, starts with) one of the table."""
        if name not in self._said:
            self._said[name] = any(
                part in self.words or any(len(w) > 4 and part.startswith(w) for w in self.words) for part in parts(name)
            )
        return self._said[name]

    def __contains__(self, pair: tuple[p.Call, Origins]) -> bool:
        call, origins = pair
        callee = call.callee
        if self.words and self.says(last_word(callee) or ""):
            return True
        if type(callee) is p.Member:
            if callee.name in self.methods:
                return True
            word = last_word(callee.of)
            if word is not None and word.lstrip("_").lower() in self.receivers:
                return not callee.name[:1].isupper()  # a class of that module makes something of what it is given
        elif type(callee) is not p.Name:
            return False
        return self.named(call, origins)

    def named(self, call: p.Call, origins: Origins) -> bool:
        """Whether the callee is in the table by its qualified name; a method's bare name does not count."""
        return self.names_it(call.callee, origins)

    def names_it(self, expression: p.Expression, origins: Origins) -> bool:
        """Whether ``expression`` itself is in the table by its qualified name."""
        return self.knows(origins.module.qualified(expression))

    def knows(self, name: str | None) -> bool:
        """Whether a qualified name is in the table."""
        return name is not None and (
            name in self.names or any(fnmatchcase(name, pattern) for pattern in self.patterns))


def parts(name: str) -> list[str]:
    """The words of an identifier, in lower case: ``cancelAndWait`` and ``cancel_and_wait`` are the same three."""
    return [part.lower() for part in _WORD.findall(name)]


def last_word(expression: Any) -> str | None:
    """The last identifier of ``a.b.c``, or of the callee of a call."""
    kind = type(expression)
    if kind is p.Name:
        return expression.id  # type: ignore[no-any-return]
    if kind is p.Member:
        return expression.name  # type: ignore[no-any-return]
    if kind is p.Call:
        return last_word(expression.callee)
    return None


def argument(call: p.Call, key: str) -> p.Expression | None:
    """The argument at a position ("0"), of a Python keyword, or at a key of an object literal."""
    place = 0
    for given in call.args:
        if given.spread:
            break
        if given.name == key:
            return given.value
        if given.name is None:
            if str(place) == key:
                return given.value
            if type(given.value) is p.Record and not key.isdigit():
                for entry in given.value.entries:
                    if type(entry.key) is p.Text and entry.key.value == key:
                        return entry.value
            place += 1
    return None


def completes(api: Api, callee: Any, origins: Origins, depth: int = 3) -> bool:
    """Whether a link of the chain lets it end by itself: ``interval(100).pipe(take(3)).subscribe()``.

    Also where a part of it is kept under a name, ``this.ticks.subscribe()``, or made by a function of the project.
    """
    module = origins.module
    while api.completes and type(callee) is p.Member:
        call = callee.of if type(callee.of) is p.Call else _kept(callee.of, module)
        if type(call) is not p.Call:
            return call is not None
        if depth > 0 and (made := origins.function_called(call)) is not None:
            there = origins.elsewhere(made[0])
            return any(completes(api, p.Member(value, callee.name, value.at, value.at), there, depth - 1)
                       for value in returned(made[1]))
        if type(call.callee) is not p.Member and len(call.args) < api.made_with:
            return True
        words = [last_word(given.value) or "" for given in call.args] + [last_word(call) or ""]
        if any(fnmatchcase(word, known) for word in words for known in api.completes):
            return True
        callee = call.callee
    return False


def _is_linked(api: Api, callee: Any) -> bool:
    """Whether the chain of methods that ends with ``callee`` makes in this very expression what it is about."""
    while type(callee) is p.Member and type(callee.of) is p.Call:
        callee = callee.of.callee
        if last_word(callee) in api.linked:
            return True
    return False


def _kept(link: Any, module: Module) -> Any:
    """The call whose value a variable or attribute holds; None where it holds no call, True where there are several."""
    if type(link) is p.Name:
        found = [it.value for it in module.lookup(link.id, link) if it.kind == "value"]
    elif type(link) is p.Member and type(link.of) is p.Name and link.of.id == "this":
        owner = class_of(module, link)
        found = [value for value, _ in attribute_values(module, owner).get(link.name, ())] if owner is not None else []
    else:
        return None
    calls = [it for it in found if type(it) is p.Call]
    return calls[0] if len(calls) == 1 else True if calls else None


def _borrows(api: Api, call: p.Call, origins: Origins) -> bool:
    """Whether what is acquired stands on something that is given, and is nothing of its own."""
    for given in call.args if api.borrows else ():
        word = (last_word(given.value) or "").lower()
        made = (origins.of(given.value) or "").removesuffix("()").rsplit(".", 1)[-1].lower()
        if any(fnmatchcase(w, known) for w in (word, made) for known in api.borrows):
            return True
        if made in api.reads_from and not api.writes(call):
            return True
    return False


def _runs_itself_again(api: Api, call: p.Call, module: Module) -> bool:
    """Whether a call hands on the very function that it stands in, whatever happened: ``setTimeout(poll, 1000)``."""
    given: Any = next((it for key in api.itself_at if (it := argument(call, key)) is not None), None)
    several = False
    if type(given) is p.Function and given.arrow and given.body:
        last: Any = getattr(given.body[-1], "value", None)
        last = last.value if type(last) is p.Await else last
        several = len(given.body) > 1
        if type(last) is not p.Call or (several and any(_stops(statement, last) for statement in given.body)):
            return False
        given = last.callee
    if type(given) is p.Call and type(given.callee) is p.Member and given.callee.name == "bind":
        given = given.callee.of
    if not several and not any(fnmatchcase(last_word(given) or "", word) for word in api.itself):
        return False
    function = _function_around(given, call, module)
    if type(function) is not p.Function:
        return False  # what a call makes of a function: ``useCallback(…)``
    for above in module.parents(call):
        if above is function:
            return not any(_stops(statement, call) for statement in above.body)
        if type(above) in (p.If, p.Conditional, p.Logical, p.Switch, p.Case, p.Handler, p.Loop):
            return False
    return False


def _function_around(given: Any, call: p.Call, module: Module) -> Any:
    """The function that ``given`` means: one of that name, or, for ``this.poll``, the method around ``call``."""
    if type(given) is p.Name:
        found = module.only(given.id, given)
        return found.value if found is not None else None
    if type(given) is p.Member and type(given.of) is p.Name and given.of.id in ("this", "self"):
        for above in module.parents(call):
            if type(above) is p.Define and type(module.parent(above)) is p.Class:
                return above.value if above.name == given.name else None
    return None


def _stops(thing: Any, call: p.Call) -> bool:
    """Whether something before ``call`` may leave the function."""
    if thing.at[0] >= call.at[0] or type(thing) in (p.Function, p.Class):
        return False
    if type(thing) in (p.Return, p.Raise):
        return thing.at[1] < call.at[0]
    return any(_stops(child, call) for child in p.children(thing) if hasattr(child, "at"))


def _arguments(api: Api, call: p.Call) -> bool:
    """Whether the arguments are such that something is acquired at all."""
    if api.working and not any(type(given.value) not in _NO_WORK for given in call.args[1:]):
        return False
    for key in api.unless:
        if argument(call, key) is not None:
            return False
    return holds(api, call)


def holds(api: Api, call: p.Call) -> bool:
    """Whether the arguments of ``call`` have the values that they must have."""
    for key, wanted in (api.when or {}).items():
        given = argument(call, key)
        if type(given) is p.Constant:
            given_value: Any = given.value == "true"
        elif type(given) in (p.Text, p.Number):
            given_value = given.value  # type: ignore[union-attr]
        else:
            return False
        if given_value != wanted:
            return False
    return True


def _api(entry: dict[str, Any]) -> Api:
    known = Api.__struct_fields__
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items() if k in known}
    return Api(**fields)


def lifecycles(project: Project, rules: Rules, language: str) -> Lifecycles:
    """The tables for a language, made once."""
    key = (Lifecycles, "python" if language == "python" else "javascript")
    found: Lifecycles | None = project.memo.get(key)
    if found is None:
        found = project.memo[key] = Lifecycles(rules, key[1])
    return found
