"""One variable that is read with different defaults in one package."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from connlint.checks.destinations import Destinations
from connlint.checks.fallbacks import candidates
from connlint.checks.wording import Wording, wording_of
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.model.source import Span
from connlint.patterns import Led, Words, regex
from connlint.project.abandoned import Abandoned
from connlint.project.address import HOLE, hosts, is_loopback, loopback, shown
from connlint.project.build_runs import set_for_builds
from connlint.project.module import Module
from connlint.project.packages import unit_root
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.stage import Stages, stages_of
from connlint.project.uses import references
from connlint.project.values import Possible, Site, Values, values_of

_LARGEST = 300_000
"""Bytes of a file above which it is put together by a tool: such files hold whole libraries, and settings of nobody."""

_FEW = 4
"""Variables that are looked for before the words which their reads have: most files hold neither."""
_NO_NAMES: frozenset[bytes] = frozenset()
_REDIS = frozenset(("redis", "rediss", "valkey", "valkeys"))
"""Schemes of servers whose clients choose database 0 where the path names none."""
_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443", "redis": "6379", "postgresql": "5432",
          "mysql": "3306", "amqp": "5672", "amqps": "5671", "nats": "4222", "bolt": "7687", "neo4j": "7687"}
"""Scheme → the port that stands for none, as the schemes are registered and the drivers document theirs."""
_OF_THE_WEB = {"80", "443"}
"""Two ports that say the same: the usual one of the scheme, with TLS and without."""
_NOTHING = frozenset((
    "unknown", "none", "null", "undefined", "n/a", "na", "not set", "notset", "not configured", "not found",
    "not defined", "not available", "not provided", "unset", "missing", "?", "-"))
"""Words that stand for a value which is not there, as reports and labels show it."""
_KEYWORD = regex(r"(?:^|\s)(host|port|dbname|user|password)\s*=\s*'?([^\s']+)")
"""The words of a connection string as libpq takes them beside URLs: ``host=db dbname=app``."""
_SPACED = regex(r"(?<=\w)[_-](?=\w)")
_REMARK = regex(r"^[(<\[].*[)>\]]$|^[^:/,;=]* [^:/,;=]*$|^\*$")
"""What is no address where others write one: words for people, as ``(not set)``, ``<your host>``, ``uses the default``,
and the ``*`` that lets everybody in."""


class Default(Struct, frozen=True, eq=False):
    """One read of ``variable`` with a constant default; ``meaning`` is the same for texts that mean the same.

    ``site`` is the expression that has the value. ``allowed``: it is only made part of a list of who may call or be
    called, which has no use for a path.
    """

    variable: str
    text: str
    meaning: str
    place: Place
    site: Site
    allowed: bool = False


def check(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Drafts of outcome "address" and "value", one for every read that differs from another of its package.

    What the bytes say settles most variables: only files that seem to give one variable two defaults are read.
    """
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    wording = wording_of(project, rules.apis)
    destinations = Destinations(rules.apis, values, wording, stages)
    programs = programs_of(project, stages)
    words = [word.encode() for word in card.options["words"]]
    prefixes = tuple(prefix for entry in rules.apis.get("browser", ()) for prefix in entry["prefixes"])
    for paths in suspects(project, stages, card.options["silent_stages"], words).values():
        found: dict[str, list[Default]] = {}
        for path, variables in sorted(paths.items()):
            module = project.module(path, words)
            if module is not None and not programs.by_hand(module):
                for default in defaults(values, stages, destinations, module):
                    if default.variable in variables:
                        found.setdefault(default.variable, []).append(default)
        abandoned = Abandoned.of(project, stages)
        for variable, rows in found.items():
            if variable.startswith(prefixes) and set_for_builds(project, rows[0].place.path, (variable,)) is not None:
                continue  # no default is taken
            if len({row.meaning for row in rows}) > 1:
                rows = [row for row in rows if not abandoned.has(row.place.path)
                        and not destinations.is_of_no_use(row.site.module, row.site.node)]
            yield from _differing(rows)
        project.trim()


def _differing(rows: list[Default]) -> Iterator[Draft]:
    """One draft a read of the same variable that differs from another."""
    address = any(_is_address(d.text) for d in rows)
    if address:
        rows = [d for d in rows if not _REMARK.search(d.text.strip())]
    for default in rows:
        others = [d for d in rows if _differ(d, default)]
        if others:
            nearest = min(others, key=lambda d: (d.place.path != default.place.path, d.place.path, d.place.at))
            slots = {"variable": default.variable, "default": shown(default.text), "other": shown(nearest.text),
                     "place": nearest.place.path}
            related = tuple(Step(d.place, f"{d.variable} defaults to {shown(d.text)} here") for d in others[:5])
            yield Draft("address" if address else "value", default.place, slots, default.variable, related=related)


def _differ(one: Default, other: Default) -> bool:
    """Whether two defaults mean something else: of an address and a list of who may be called, the origin counts."""
    if {one.meaning, other.meaning} == _OF_THE_WEB:
        return False
    if one.allowed == other.allowed or one.meaning == other.meaning:
        return one.meaning != other.meaning
    texts = one.meaning, other.meaning
    return not any("," in text for text in texts) and len({_ORIGIN.sub(r"\1", text) for text in texts}) > 1


_ORIGIN = regex(r"^(\w[\w+.-]*://[^/]*)/.*")
_DEFAULT = rb"\s*(['\"`][^'\"`\n]{0,120}['\"`]|-?\d[\d_.]*\b|[A-Za-z_$][\w.$]*)"
# A variable as it is read, and what follows on an operator or comma that gives a default: that may be a read itself.
_READ = Led(
    (b"env", b"Env", b"ENV", b"onfig", b"getSecret"),
    rb"(?:(?:\benv|\bENV|onfig)[?!]?\."
    rb"|(?:[eE]nv|ENV|environ|onfig|getSecret)\w{0,12}[?!]?(?:\.\w+(?:<\w+>)?)?\s*[\[(]\s*['\"`])([A-Z][A-Z0-9_]{2,})\b"
    rb"['\"`]?[\])!?]*(?:\s+as\s+\w+\)?)?(?:\??\.\w+\([^()\n]*\))*\)*"
    rb"\s*(?:\|\|=?|\?\?=?|,|\)?\s*or\b|=(?!=))(?:[^\n=]{0,60}?default\s*=)?(?=" + _DEFAULT + rb")"
)
_FLUENT = Led(
    (b".get(",),
    rb"\.get\(\s*['\"]([A-Z][A-Z0-9_]{2,})['\"]\s*\)(?:\s*\.\w+\([^()\n]*\))*?\s*\.default\((?=" + _DEFAULT + rb")"
)
_TAKEN = regex(rb"[{,]\s*([A-Z][A-Z0-9_]{2,})\s*(?::\s*\w+\s*)?=" + _DEFAULT)
_UNPACKED = regex(rb"\}\s*(?::[^=\n]{0,60})?=\s*[\w.$(]*(?:env|ENV|onfig)")
_DECLARED = regex(rb"\b([A-Z][A-Z0-9_]{2,})\s*:[^\n]{0,120}?default\b\s*[(:]" + _DEFAULT)
_ENTRY = Led((b"env",), rb"\benv\w*\s*:\s*['\"]([A-Z][A-Z0-9_]{2,})['\"]")
_FIELD = regex(rb"\n[ \t]+([A-Za-z][A-Za-z0-9_]{2,})[ \t]*:[^\n=]*=\s*([^\n]+)")


def suspects(project: Project, stages: Stages, silent: list[str],
             words: list[bytes]) -> dict[str, dict[str, set[str]]]:
    """Package → file → variables that the bytes of the package seem to give more than one default."""
    rows: dict[str, dict[str, dict[str, set[bytes]]]] = {}
    suffixes = tuple(project.readers)
    sought = Words(words)

    def collect(paths: Collection[str], only: Mapping[str, frozenset[bytes]] | None = None) -> None:
        for path in sorted(paths):
            if not path.endswith(suffixes):
                continue
            names = only.get(unit_root(project, path), _NO_NAMES) if only is not None else _NO_NAMES
            if (only is not None and not names) or stages.of_path(path) in silent:
                continue
            data = project.tree.read(path)
            if data is None or len(data) > _LARGEST or (0 < len(names) < _FEW and not _has(data, names)):
                continue
            if not sought.stand_in(data) or (names and not _has(data, names)):
                continue
            package = rows.setdefault(unit_root(project, path), {})
            for name, text in _pairs(path, data):
                if only is None or name in names:
                    package.setdefault(name.decode(), {}).setdefault(path, set()).add(text)

    if project.reported is None:
        collect(project.tree.paths)
    else:
        collect(project.reported)
        if only := {root: frozenset(name.encode() for name in package) for root, package in rows.items() if package}:
            collect(project.tree.paths - project.reported, only)
    found: dict[str, dict[str, set[str]]] = {}
    for root, names in rows.items():
        for name, files in names.items():
            if len(set().union(*files.values())) > 1 and name not in stages.variables and name not in stages.flags:
                for path in files:
                    found.setdefault(root, {}).setdefault(path, set()).add(name)
    return found


def _has(data: bytes, names: Collection[bytes]) -> bool:
    return any(name in data or name.lower() in data for name in names)


def _pairs(path: str, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every variable with what seems to be its default."""
    pairs = [(read[1], read[2]) for read in _READ.finditer(data)]
    if b"default" in data:
        pairs += _DECLARED.findall(data)
        pairs += [(read[1], read[2]) for read in _FLUENT.finditer(data)]
    if _UNPACKED.search(data):
        pairs += _TAKEN.findall(data)
    pairs += [(entry[1], path.encode()) for entry in _ENTRY.finditer(data)]
    if b"Settings" in data:
        pairs += [(name.upper(), text) for name, text in _FIELD.findall(data)]
    for name, text in pairs:
        yield name, text.strip(b"'\"`/, ")


def defaults(values: Values, stages: Stages, destinations: Destinations, module: Module) -> list[Default]:
    """Every read in ``module`` of one variable with one constant default, outside of development."""
    found: list[Default] | None = module.memo.get(defaults)
    if found is None:
        rows: dict[tuple[str, Place], Default] = {}
        abandoned = Abandoned.of(values.project, stages)
        wording = destinations.wording
        for node, possible, within in candidates(values, module):
            for variable, q, place in _decided(module, possible, within):
                if variable in stages.variables or variable in stages.flags or _is_own(wording, variable):
                    continue
                if wording.listens(variable, loopback(q.text or ""), q.text or ""):
                    continue
                if stages.only_in_development(module, node, q.conditions) or abandoned.is_trial(module, node):
                    continue
                text = q.text or ""
                if _SPACED.sub(" ", text.strip().lower()) in _NOTHING or destinations.only_shown(module, node):
                    continue
                allowed = destinations.only_allowed(module, node)
                rows.setdefault((variable, place), Default(
                    variable, text, meaning(text), place, Site(module, node), allowed))
        found = module.memo[defaults] = _chosen(module, list(rows.values()))
    return found


def _chosen(module: Module, rows: list[Default]) -> list[Default]:
    """``rows`` without the variables whose default depends on a choice: one per branch of the same statement."""
    choices = [node for kind in (p.Switch, p.If, p.Conditional) for node in module.nodes(kind)]
    left = []
    for row in rows:
        others = [r for r in rows if r.variable == row.variable and r.meaning != row.meaning]
        if not any(_apart(choice, row.place.at, other.place.at) for choice in choices for other in others):
            left.append(row)
    return left


def _apart(choice: Any, one: Span, other: Span) -> bool:
    """Whether two places stand in different branches of ``choice``."""
    if type(choice) is p.Switch:
        branches = [case.body for case in choice.cases]
    elif type(choice) is p.If:
        branches = [choice.then, choice.otherwise]
    else:
        branches = [(choice.then,), (choice.otherwise,)]
    places = (_branch(branches, one), _branch(branches, other))
    return None not in places and places[0] != places[1]


def _branch(branches: list[Any], at: Span) -> int | None:
    return next((number for number, body in enumerate(branches, 1)
                 if body and body[0].at[0] <= at[0] and at[1] <= body[-1].at[1]), None)


def _is_own(wording: Wording, variable: str) -> bool:
    """Variables that every process of a package has for itself: where it listens, what the platform sets."""
    return wording.says("platform", variable) or wording.says("bind", variable) or wording.says("test", variable)


def _decided(module: Module, possible: list[Possible], within: list) -> Iterator[tuple[str, Possible, Place]]:
    for q in possible:
        if len(q.absent) != 1 or q.reads or q.joint is None or q.joint.module is not module or not q.text:
            continue
        if HOLE in q.text or q.nothing or q.origin is None:
            continue
        if not any(n.at[0] <= q.joint.node.at[0] and q.joint.node.at[1] <= n.at[1] for n in within):
            continue
        read = q.absent[0]
        if len(read.variables) != 1 or HOLE in read.variables[0] or read.site.module is not module:
            continue
        if not _direct(q.joint.node, read.site.node) or _altered(module, q.joint.node, read.site.node):
            continue
        if _is_altered_later(module, q.joint.node):
            continue
        if type(q.origin.node) is p.Text and q.origin.node.value != q.text:
            continue  # a part of a longer text, which may well be put together in several ways
        # where it is set, it is taken as it is: ``X ? X + "/a" : "https://b/a"`` has no default of X
        if any(read.variables[0] in r.variables and not other.absent and other.text in (None, HOLE)
               for other in possible for r in other.reads):
            yield read.variables[0], q, Place(module.path, read.site.node.at)


def _direct(joint: Any, read: Any) -> bool:
    """Whether a default stands beside its read, rather than in a branch or a handler somewhere near."""
    inside = joint.at[0] <= read.at[0] and read.at[1] <= joint.at[1]
    return not isinstance(joint, p.Statement) or (type(joint) is p.Let and inside)


_ALTERING = frozenset(("replace", "replaceAll", "slice", "substring", "substr", "split", "rsplit", "concat", "match",
                       "partition", "rpartition", "removesuffix", "removeprefix"))


def _altered(module: Module, joint: Any, read: Any) -> bool:
    """Whether the default stands in for something that is made of what was read: ``X?.replace("/v1", "") || "…"``."""
    for above in module.parents(read):
        if above is joint:
            return False
        if type(above) is p.Member and above.name in _ALTERING:
            return True
    return False


def _is_altered_later(module: Module, joint: Any) -> bool:
    """Whether the value gets a name, and a part of it is cut off where that is read: ``BASE.replace("/v1", "")``."""
    above = module.parent(joint)
    if type(above) is not p.Let or type(above.target) is not p.Name:
        return False
    return any(
        type(member := module.parent(reader)) is p.Member and member.of is reader and member.name in _ALTERING
        for reader in references(module, above.target.id, above.target))


def meaning(text: str) -> str:
    """The same text for defaults that mean the same: case of scheme and host, a trailing slash, names of loopback, the
    port that a scheme stands for, the first database of Redis, the current folder in front of a path, a number written
    with a point."""
    text = text.strip()
    if found := re.match(r"([A-Za-z][A-Za-z0-9+.\-]*)://", text):
        scheme = found[1].lower()
        scheme = scheme.partition("+")[0]  # which driver speaks to it makes no other address
        scheme = {"postgres": "postgresql"}.get(scheme, scheme)
        rest = text[found.end() :]
        authority, slash, path = rest.partition("/")
        user, at, host = authority.rpartition("@")
        if scheme in _REDIS and path == "0":
            path = ""
        host = host.removesuffix(f":{_PORTS[scheme]}") if scheme in _PORTS else host
        return f"{scheme}://{user}{at}{_host(host)}{slash}{path}".rstrip("/")
    if len(said := dict(_KEYWORD.findall(text))) > 1 and {"host", "dbname"} <= said.keys():
        user = ":".join(said[key] for key in ("user", "password") if key in said)
        port = f":{said['port']}" if "port" in said else ""
        return meaning(f"postgresql://{user}{'@' if user else ''}{said['host']}{port}/{said['dbname']}")
    if text.replace(".", "", 1).isdecimal():  # which would be a host else
        return f"{float(text):g}" if len(text) < 7 else text
    if any(h.port or h.loopback or "." in h.name for h in hosts(text)):
        return _host(text).rstrip("/")
    if text.lower() in ("true", "false"):
        return text.lower()
    return text.removeprefix("./").rstrip("/") or text


def _host(text: str) -> str:
    name, colon, port = text.lower().partition(":")
    return f"{'localhost' if is_loopback(name) and name != '0.0.0.0' else name}{colon}{port}"


def _is_address(text: str) -> bool:
    return any(h.scheme or h.port or h.loopback for h in hosts(text))
