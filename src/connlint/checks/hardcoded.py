"""Production code that connects to a loopback literal with no way to configure it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from msgspec.structs import replace

from connlint.checks.deployed import Code
from connlint.checks.framework_settings import settings
from connlint.checks.own_ports import is_own_port
from connlint.checks.provided import provided
from connlint.checks.wording import wording_of
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.model.source import Span
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.address import HOLE, loopback, shown
from connlint.project.callees import last_name
from connlint.project.calls import argument
from connlint.project.clients import constant_of, construction, inherited, instance, record_of, within
from connlint.project.companions import Companions
from connlint.project.elsewhere import Elsewhere
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import package_root, unit_root
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.serving import method, servings
from connlint.project.stage import Stages, stages_of, words_of
from connlint.project.uses import uses
from connlint.project.values import Possible, Site, Values, values_of

_NUMBER = regex(r":(\d{4,5})(?!\d)")
_WRITTEN = regex(rf"^(\w+://[^/{HOLE}]+:\d{{4,5}}){HOLE}")
"""A port that is written out, and a path behind it."""
_OPEN_PORT = regex(rf"(?:\w[\w+.-]*://)?[^\s/{HOLE}]+:(?:\d*|{HOLE})(?:$|[/?#])")
"""A host that is written out, and a port that may not be."""
_PORT_NAME = regex(rb"\b[A-Z][A-Z0-9]*_PORT\b")
_PORT = regex(r"\b(?:[A-Z][A-Z0-9_]*PORT[A-Z0-9_]*|\d{4,5})\b")

_SETS_TOLD = regex(rb"\bsetattr\([ \t]*\w+,[ \t]*[A-Za-z_]\w*,")
_LOADS_TOLD = regex(rb"\b(?:import_module|load_module|exec_module|module_from_spec|__import__)\(")
_ANOTHER_WAY = ("transport", "uds", "unix_socket_path", "connector")
"""Keywords with which a call goes another way than its address says: through a socket file, or to a stand-in."""


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Drafts of outcome "client" and "request", one a literal, and "loaded" of an element of a page; "port" where a
    variable tells the port alone, "overridden" where the library itself asks a variable first ("provided" where
    deployments set it)."""
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    silent = card.options.get("silent_stages", ())
    if stages.of_path(module.path) in silent:
        return
    wording = wording_of(project, rules.apis)
    elsewhere = Elsewhere(values, lambda path: stages.of_path(path) not in silent)
    seen: set[Span] = set()
    given = ((module, node, "client", by, value) for by, node, value in settings(module, values, stages, rules))
    connecting = chain(_connecting(module, values, elsewhere, project, rules), given)
    for home, call, outcome, name, value in connecting:
        found, variable = fixed(values.possible(home, value)), ""
        if found is None and (told := told_the_port(values.possible(home, value))) is not None:
            found, variable = told
        if found is None or found.module.path != module.path or found.node.at in seen:
            continue
        seen.add(found.node.at)
        if _excused(values, stages, card, home, call, found):
            continue
        if variable and _is_own_port(project, card, home.path, variable, wording.names["own port"]):
            continue
        text = next((q.text or "" for q in values.possible(home, value)), "")
        host = written = loopback(text)
        assert host is not None
        if any(wording.agent(word, host) for word in words_of(name)):
            continue
        if host.port is None and _is_told_its_port(values, home, call):
            continue
        if host.port is None:
            host = replace(host, port=_port_beside(values, home, call))
        if host.port is not None and _listens(values, home, host.port, rules):
            continue
        if not variable and host.port is not None and host.scheme.startswith("http") and not stages.is_for_browsers(
                module.path) and is_own_port(project, rules, module.path, host.port, text):
            continue
        # a page looks for its own machine in front of whoever reads it, whatever its image runs
        paged = outcome == "loaded" or stages.is_for_browsers(module.path)
        if not paged and Companions.of(project, rules.apis).beside(
                module.path, (variable,) if variable else (), host):
            continue
        place = Place(module.path, found.node.at)
        steps: tuple[Step, ...] = (Step(place, f"the address is written here: {shown(text)}"),
                                   Step(Place(home.path, call.at), f"{name} connects to it"))
        outcome = "port" if variable else outcome
        if not variable and (overriding := _overriding(home, call, value, project, rules)):
            variable = overriding
            known = provided(Code.of(project, rules), stages, home.path, (variable,), lambda _: True)
            outcome = "overridden" if known is None else "provided"
            steps = steps if known is None else (*steps, known)
        slots = {"address": shown(text), "client": name, "host": str(written), "variable": variable}
        yield Draft(outcome, place, slots, str(written), steps)


def _overriding(module: Module, node: Any, value: Any, project: Project, rules: Rules) -> str:
    """The variable that a library asks for before it takes the address ``value``, which ``node`` gives it: a call, or
    the statement of a setting. "" where there is none."""
    if type(node) is p.Call:
        built = construction(module, node, project, rules)
        place = next((place for place, given in built.addresses() if given is value), "") if built is not None else ""
        return str(built.entry.get("overridden", {}).get(place, "")) if built is not None else ""
    name = getattr(getattr(node, "target", None), "id", "")
    return next((entry["overridden"][name] for entry in rules.apis.get("setting", ())
                 if name in entry.get("overridden", ())), "")


def _connecting(module: Module, values: Values, elsewhere: Elsewhere, project: Project,
                rules: Rules) -> Iterator[tuple[Module, Any, str, str, Any]]:
    """Calls that connect, with what `addresses` says of them: those of ``module``, and those of other files which take
    a constant from it that is a loopback address; and the elements of a page that load something."""
    for call in module.nodes(p.Call):
        for outcome, name, value in addresses(module, call, project, rules):
            yield module, call, outcome, name, value
    for element in module.nodes(p.Opaque):
        if element.why == "jsx source":
            yield module, element, "loaded", "a page", element.parts[0]
    for text in module.nodes(p.Text):
        if loopback(text.value) is None or module.function(text) is not None:
            continue
        for use in elsewhere.uses(module, text, uses(values, module, text)):
            if use.kind == "argument" and use.call is not None:
                for outcome, name, value in addresses(use.module, use.call, project, rules):
                    yield use.module, use.call, outcome, name, value


def addresses(module: Module, call: p.Call, project: Project, rules: Rules) -> Iterator[tuple[str, str, Any]]:
    """What the call connects to, if it does: outcome, the callee's name, the expression of the address."""
    built = construction(module, call, project, rules) or inherited(module, call, project, rules)
    if built is not None:
        if built.wrapped is None:
            for place, value in built.addresses():
                if not place.rpartition(".")[2].lower().endswith("port") and not built.may_be_replaced(place):
                    yield "client", built.name, value
        return
    for name, value in _connected(module, call, project, rules):
        yield "request", name, value
    found = requested(module, call, project, rules) or _told(module, call, project, rules)
    if found is not None:
        name, places = found
        if any(argument(call, [key]) is not None for key in _ANOTHER_WAY):
            return
        for place in places:
            if (value := at_place(module, call, place, project)) is not None:
                yield "request", name, value
                return


def _told(module: Module, call: p.Call, project: Project, rules: Rules) -> tuple[str, list[str]] | None:
    """The name and the places of the address where a client is told by a method of its own what to connect to."""
    callee = call.callee
    if type(callee) is not p.Member or type(callee.of) is not p.Name:
        return None
    built = instance(module, callee.of, project, rules)
    places = built.entry.get("address_at", {}).get(callee.name) if built is not None else None
    return (f"{callee.of.id}.{callee.name}", places) if places else None


def _connected(module: Module, call: p.Call, project: Project, rules: Rules) -> Iterator[tuple[str, Any]]:
    """What a framework connects to by the options that it is given: those of one connection, or a list of several;
    and a client of any name, by what vouches for it."""
    last = last_name(call.callee)
    for entry in rules.apis.get("vouched", ()) if call.new and len(call.args) > 1 else ():
        by = call.args[entry["at"]].value if entry["at"] < len(call.args) else None
        if type(by) is p.Call and module.qualified(by.callee) in entry["names"]:
            yield last or "the client", call.args[entry["address"]].value
    for entry in rules.apis.get("connector", ()):
        if last not in entry["calls"] or (entry["language"] == "python") != (module.program.language == "python"):
            continue
        name = module.qualified(call.callee)
        of = last_name(call.callee.of) if type(call.callee) is p.Member else ""
        if name not in entry["names"] and of not in entry.get("receivers", ()):
            continue
        given = argument(call, [str(entry["at"])])
        given = constant_of(module, given, project) if given is not None else None
        for options in given.items if type(given) is p.Sequence else (given,):
            kind = within(module, options, entry["kind"], project) if options is not None else None
            if options is None or ("kinds" in entry and last_name(kind) not in entry["kinds"]):
                continue
            found = (within(module, options, place, project) for place in entry["address"])
            if (value := next((it for it in found if it is not None), None)) is not None:
                yield f"{of}.{last}", value


def at_place(module: Module, call: p.Call, place: str, project: Project) -> Any:
    """What stands at ``place`` of a call, as the tables write places; None where nothing does."""
    if place[0].isdigit():
        number, _, key = place.partition(".")
        value = argument(call, [number])
        if value is None:
            return None
        record = record_of(module, value, project)
        if key:
            return within(module, value, key, project)
        return value if record is None else None
    if (value := argument(call, [place])) is not None:
        return value
    for item in call.args:
        if item.name is None and (found := within(module, item.value, place, project)) is not None:
            return found
    return None


def requested(module: Module, call: p.Call, project: Project, rules: Rules) -> tuple[str, list[str]] | None:
    """The name of a call that sends something by itself and the places of its address; None for any other call."""
    language = "python" if module.program.language == "python" else "javascript"
    key = (requested, language)
    table = project.memo.get(key)
    if table is None:
        table = project.memo[key] = _Requests(rules, language)
    return table.of(module, call)


class _Requests:
    """The ``[[request]]`` tables of one language."""

    def __init__(self, rules: Rules, language: str) -> None:
        self.exact: dict[str, list[str]] = {}
        self.methods: dict[str, tuple[list[str], list[str]]] = {}
        self.of_made: set[str] = set()
        """Names of the methods that objects have which the file makes: ``connect`` of ``Client().connect``."""
        for entry in rules.apis.get("request", ()):
            if entry["language"] != language:
                continue
            for name in entry["names"]:
                if name.startswith("*."):
                    self.methods[name[2:]] = (entry["receivers"], entry["address"])
                else:
                    self.exact[name] = entry["address"]
                    if "()." in name:
                        self.of_made.add(name.rpartition(".")[2])

    def of(self, module: Module, call: p.Call) -> tuple[str, list[str]] | None:
        name = module.qualified(call.callee)
        if name is not None and name in self.exact:
            root = name.partition(".")[0]
            if "." not in name or module.program.language != "python" or root != name:
                return name, self.exact[name]
        callee = call.callee
        if type(callee) is p.Member and callee.name in self.of_made:
            made = method(module, call)
            if made is not None and made in self.exact:
                return made, self.exact[made]
        if type(callee) is p.Member and callee.name in self.methods:
            receivers, places = self.methods[callee.name]
            of = callee.of
            last = of.name if type(of) is p.Member else of.id if type(of) is p.Name else ""
            if last and set(words_of(last)).intersection(receivers):
                return f"{last}.{callee.name}", places
        return None


def fixed(possible: list[Possible]) -> Site | None:
    """The literal where every value is a loopback address that nothing configures; None where something may."""
    if not possible:
        return None
    for q in possible:
        if q.reads or q.absent or q.origin is None or not q.text or loopback(q.text) is None:
            return None
        if q.text.startswith(HOLE) or HOLE in re.split(r"(?<![/:])[/?#]", _WRITTEN.sub(r"\1/", q.text), maxsplit=1)[0]:
            return None  # somebody tells it the port: what runs beside it is meant
    return possible[0].origin


def told_the_port(possible: list[Possible]) -> tuple[Site, str] | None:
    """The literal and the variable where every value is a loopback host whose port one variable tells, and nothing
    else; None otherwise."""
    variables: set[str] = set()
    for q in possible:
        if q.origin is None or not q.text or loopback(q.text) is None or _OPEN_PORT.match(q.text) is None:
            return None
        for read in (*q.reads, *q.absent):
            variables.update(read.variables)
    if len(variables) != 1 or not any(q.reads for q in possible):
        return None
    variable = variables.pop()
    return (possible[0].origin, variable) if possible[0].origin and "port" in words_of(variable) else None


def _port_beside(values: Values, module: Module, call: Any) -> int | None:
    """The port that stands beside a host which is written without one: ``{ host: "localhost", port: 8000 }``."""
    given = [it.value for it in call.args] if type(call) is p.Call else []
    told = [entry.value for it in given if type(it) is p.Record for entry in it.entries
            if type(entry.key) is p.Text and entry.key.value == "port"]
    texts = {q.text for it in told for q in values.possible(module, it)}
    text = texts.pop() if len(texts) == 1 else None
    return int(text) if text is not None and text.isdigit() else None


_ARGUMENTS = (b"process.argv", b"sys.argv", b"argparse", b"parseArgs")


def _is_told_its_port(values: Values, module: Module, call: Any) -> bool:
    """Whether the host is written out, and the port beside it is told by whoever calls, or who starts the program: what
    runs beside it is meant."""
    given = [it.value for it in call.args] if type(call) is p.Call else []
    given += [entry.value for it in given if type(it) is p.Record for entry in it.entries]
    given += [item for it in given if type(it) is p.Sequence for item in it.items]
    started_with = any(word in module.source.data for word in _ARGUMENTS)
    named = [it for it in given if type(it) is p.Name and "port" in words_of(it.id)
             and (started_with or any(d.kind == "param" for d in module.lookup(it.id, it)))]
    return any(q.text is not None and HOLE in q.text and not q.reads and not q.absent
               for it in named for q in values.possible(module, it))


def _is_own_port(project: Project, card: Card, path: str, variable: str, names: Collection[str]) -> bool:
    """Whether the variable names the port of the program itself, or of one that it starts: by a word of its package, or
    because another line of the package listens there."""
    rest = set(words_of(variable)) - set(card.options["port_words"])
    root = unit_root(project, path)
    package = jsonc.loads(project.tree.read(f"{root}/package.json" if root else "package.json")) or {}
    if variable in names or not rest or rest <= {*words_of(root), *words_of(str(package.get("name", "")))}:
        return True
    index = importers(project)
    taking = [word.encode() for word in (*card.options["launching"], *card.options["listening"])]
    return any(unit_root(project, other) == root and any(word in index.data(other) for word in taking)
               for other in {path, *index.mentions(variable, path)})


def _excused(values: Values, stages: Stages, card: Card, module: Module, call: Any, found: Site) -> bool:
    """Development only, a health check of the process itself, something local by name, or a program's own trial run."""
    if stages.only_in_development(module, call) or stages.only_in_development(found.module, found.node):
        return True
    words = {*card.options.get("probe_words", ()), *card.options.get("local_words", ())}
    for above in module.parents(call):
        if type(above) is p.Function and words.intersection(words_of(_name_of(module, above))):
            return True
    if words.intersection(words_of(module.path)):
        return True
    if _is_command(values.project, stages, card, module) or _starts(module, found, card.options.get("starting", ())):
        return True
    if _starts_elsewhere(values.project, stages, card, found) or _has_just_started(module, call, card):
        return True
    if _searches(values, module, call) or _is_set_by_loader(values.project, found):
        return True
    if _stands_in(module, call) or _talks_to_companion(module, card.options["companions"]):
        return True
    return any(_is_main(c.test) and c.truth for c in stages.held(module, call))


def _listens(values: Values, module: Module, port: int, rules: Rules) -> bool:
    """Whether the file serves on ``port`` itself: then it asks its own process, as a check of its health does."""
    for serving in servings(module, rules.apis.get("serving_call", [])):
        told = serving.port()
        if told is not None and any((q.text or "").rpartition(":")[2] == str(port)
                                    for q in values.possible(module, told)):
            return True
    return False


def _talks_to_companion(module: Module, companions: Collection[str]) -> bool:
    """Whether the file talks to a program on the machine of whoever uses it, by what such programs are talked to with.
    """
    return any(last_name(call.callee) in companions for call in module.nodes(p.Call))


def _stands_in(module: Module, call: Any) -> bool:
    """Whether the call handles that another one of its kind has failed, which was told another address."""
    if type(call) is not p.Call or (name := last_name(call.callee)) is None:
        return False
    for above in module.parents(call):
        if type(above) is p.Function:
            return False
        if type(above) is p.Handler:
            tried = module.parent(above)
            return any(last_name(other.callee) == name and other.args and tried.at[0] <= other.at[0] < above.at[0]
                       and module.source.slice(other.at) != module.source.slice(call.at)
                       for other in module.nodes(p.Call))
    return False


def _starts_elsewhere(project: Project, stages: Stages, card: Card, found: Site) -> bool:
    """Whether another file, which starts programs, knows the port: one of these listens there. It belongs to the same
    package, or, where the port has but a name, imports the file."""
    port = _NUMBER.search(found.module.source.slice(found.node.at))
    index, home = importers(project), found.module.path
    launching = [word.encode() for word in card.options["launching"]]
    if port is None:
        # the host alone stands there: who starts this file and others beside it tells both of one port
        ports = set(_PORT_NAME.findall(found.module.source.data))
        return bool(ports) and any(
            any(word in data for word in launching) and ports.intersection(_PORT_NAME.findall(data))
            for path in index.of(home) if stages.of_path(path) == "production" for data in (index.data(path),))
    number = port[1]
    told = re.compile(rb"(?<![\w.:])" + number.encode() + rb"(?![\w.])")
    for path in index.mentions(number, home):
        data = index.data(path)
        if path != home and any(word in data for word in launching) and told.search(data):
            if stages.of_path(path) == "production" and package_root(project, path) == package_root(project, home):
                return True
    return False


def _name_of(module: Module, function: p.Function) -> str:
    """The function's own name, or that of the variable or property that holds it; "" where there is none."""
    above = module.parent(function)
    target: Any = above.target if type(above) is p.Let else above.key if type(above) is p.Entry else None
    return function.name or str(getattr(target, "id", getattr(target, "value", "")))


def _is_command(project: Project, stages: Stages, card: Card, module: Module) -> bool:
    """Whether the module is a command that somebody types where the service runs: it has arguments, serves nothing."""
    programs = programs_of(project, stages)
    if programs.by_hand(module):
        return True
    data = module.source.data
    if not data.startswith(b"#!") and not any(word.encode() in data for word in card.options.get("arguments", ())):
        return False
    return programs.is_script(module, card.options.get("applications", []), card.options.get("listens", []))


def _starts(module: Module, found: Site, starting: list[str]) -> bool:
    """Whether the file starts a program itself and tells it the port of the address: then both share a machine."""
    if found.module is not module:
        return False
    written = found.node
    while type(module.parent(written)) is p.Concat:
        written = module.parent(written)
    address = module.source.slice(written.at)
    words = {word for word in _PORT.findall(address) if not word.isdigit() or len(word) > 3}
    if not words:
        return False
    for call in module.nodes(p.Call):
        if last_name(call.callee) in starting and call.args:
            told = module.source.slice((call.args[0].value.at[0], call.args[-1].value.at[1]))
            if words.intersection(_PORT.findall(told)):
                return True
    return False


def _has_just_started(module: Module, call: Any, card: Card) -> bool:
    """Whether the function of ``call`` has started a program before, for the end of which it did not wait: that is the
    one which it then asks."""
    function = module.function(call)
    return function is not None and any(
        last_name(one.callee) in card.options["children"] and one.args and one.at[1] <= call.at[0]
        for one in module.nodes_of(function, p.Call))


def _is_set_by_loader(project: Project, found: Site) -> bool:
    """Whether the address is a constant of a module which another file beside or above it loads by a name that it is
    told, to set whatever else it is told in it: ``setattr(plugin, key, value)``."""
    let = found.module.parent(found.node)
    if type(let) is not p.Let or type(found.module.parent(let)) is not p.Program:
        return False
    index, folder = importers(project), posixpath.dirname(found.module.path)
    return any(posixpath.dirname(path) in (folder, posixpath.dirname(folder)) and _SETS_TOLD.search(index.data(path))
               and _LOADS_TOLD.search(index.data(path)) for path in index.mentions("setattr", found.module.path))


def _searches(values: Values, module: Module, call: Any) -> bool:
    """Whether ``call`` tries one port of the machine after the other, and nothing comes of it where nobody listens."""
    caught = loop = None
    for above in module.parents(call):
        if type(above) is p.Function:
            return False
        if type(above) is p.Try and caught is None and not any(type(inside) is p.Raise for handler in above.handlers
                                                               for inside in p.within(handler)):
            caught = above
        if type(above) is p.Loop and above.iterable is not None:
            loop = above
            break
    if caught is None or loop is None or type(loop.target) is not p.Name or "port" not in words_of(loop.target.id):
        return False
    ports = {q.text for q in values.possible(module, loop.target)}
    return len(ports) != 1


def _is_main(test: Any) -> bool:
    """``__name__ == "__main__"`` and ``require.main === module``."""
    if type(test) is not p.Compare or test.op != "==":
        return False
    sides = (test.left, test.right)
    return any(type(s) is p.Text and s.value == "__main__" for s in sides) or any(
        type(s) is p.Member and s.name == "main" for s in sides)



