"""Clients whose address may be unset, and whose library then dials loopback by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from connlint.checks.demands import demands_of
from connlint.checks.deployed import Code
from connlint.checks.env_load import in_time
from connlint.checks.framework_settings import left_unset
from connlint.checks.handed import handed
from connlint.checks.migrated_first import demanded_by_migration
from connlint.checks.promised import is_promised
from connlint.checks.provided import provided
from connlint.checks.wording import Wording, shown_variable, wording_of
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.clients import Construction, constant_of, construction, record_of
from connlint.project.conditions import ends
from connlint.project.edits import require
from connlint.project.module import Module
from connlint.project.packages import package_root, reached
from connlint.project.possible import merged
from connlint.project.precedence import may_precede
from connlint.project.programs import Programs, programs_of
from connlint.project.project import Project
from connlint.project.readers import VARIABLE
from connlint.project.services import Running
from connlint.project.stage import Stages, stages_of
from connlint.project.uses import references
from connlint.project.values import Possible, Read, Values, values_of


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Drafts of outcome "unset" at the read ("provided" where all deployments that are known set it), and "none" at a
    constructor that is given no address."""
    for draft in _drafts(module, project, card, rules):
        yield in_time(project, card, rules, draft)


def _drafts(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    if stages.of_path(module.path) in card.options.get("silent_stages", ()):
        return
    wording = wording_of(project, rules.apis)
    programs = programs_of(project, stages)
    for call in module.nodes(p.Call):
        built = construction(module, call, project, rules)
        if built is None or not _falls_back(built) or built.subclass is not None:
            continue
        if programs.by_hand(module):
            return
        if _has_unseen_options(built) or built.wrapped is not None:
            continue
        if built.given(built.entry.get("embedded_when", {})):
            continue
        if any(_may_hold_address(built, place) for place in built.entry.get("address_elsewhere", ())):
            continue
        if stages.only_in_development(module, call):
            continue
        # the address of a second server takes nothing from the first
        second = built.entry.get("second_address", ())
        given = [(place, possible) for place, possible in _addresses(values, built)
                 if place not in second and not _is_port(place, possible)]
        if not given:
            if built.entry["kind"] in card.options.get("bare_kinds", ()) and _known_to_be_bare(built) \
                    and not _is_told_later(built) and not _is_given_outside(built, project, rules):
                yield _none(values, module, built)
            continue
        if any(not _may_be_unset(built, place, possible) for place, possible in given):
            yield from _of_callers(values, stages, built, project, rules)
            continue
        # of a list, the first; of options that say it each in its own way, all
        places = dict(reversed(given))
        reads = merged(q.absent for possible in reversed(places.values()) for q in possible if _is_nothing(built, q))
        if not (names := _variables(reads, wording)):
            continue
        if is_checked(values, stages, module, call, reads, project, rules):
            continue
        if is_promised(values, stages, module, reads) or _asks_the_client(built, places):
            continue
        if demanded_by_migration(project, rules, set(names)):
            continue
        target = _target(values, built, names, stages, rules)
        step = f"{built.name} is built here; without an address it dials {target}"
        yield _unset(values, built.name, reads, target, Step(Place(module.path, call.at), step),
                     _provided(reads, stages, project, rules))
    yield from _of_settings(module, values, stages, project, rules)


def _of_callers(values: Values, stages: Stages, built: Construction, project: Project,
                rules: Rules) -> Iterator[Draft]:
    """The same where the address is what the callers of a function give it."""
    wording = wording_of(project, rules.apis)
    for home, value, place in handed(stages, project, built):
        possible = values.possible(home, value)
        reads = tuple(r for q in possible if _is_nothing(built, q) for r in q.absent)
        if not (names := _variables(reads, wording)):
            continue
        if not _may_be_unset(built, place, possible) or stages.only_in_development(home, value) or (
                is_checked(values, stages, home, value, reads, project, rules)
                or is_promised(values, stages, home, reads)):
            continue
        target = _target(values, built, names, stages, rules)
        step = f"{built.name} is built here of what it is given; without an address it dials {target}"
        yield _unset(values, built.name, reads, target, Step(Place(built.module.path, built.call.at), step),
                     _provided(reads, stages, project, rules))


def _of_settings(module: Module, values: Values, stages: Stages, project: Project, rules: Rules) -> Iterator[Draft]:
    """The same of what a framework takes from its settings."""
    wording = wording_of(project, rules.apis)
    for by, node, value, target in left_unset(module, values, stages, rules):
        possible = values.possible(module, value)
        reads = tuple(r for q in possible if q.nothing or q.text == "" for r in q.absent)
        if not _variables(reads, wording):
            continue
        if any(q.absent and not (q.nothing or q.text == "") for q in possible) or (
                stages.only_in_development(module, node) or is_promised(values, stages, module, reads)
                or is_checked(values, stages, module, value, reads, project, rules)):
            continue
        step = Step(Place(module.path, value.at), f"{by} takes the address from here; without one it dials {target}")
        yield _unset(values, by, reads, target, step, _provided(reads, stages, project, rules))


def _variables(reads: tuple[Read, ...], wording: Wording) -> list[str]:
    """The variables that are read; none where what is read may be something else, or is there for tests."""
    names = [name for read in reads for name in read.variables]
    meant = all(VARIABLE.match(name) and not wording.says("test", name) for name in names)
    return names if meant else []


def _provided(reads: tuple[Read, ...], stages: Stages, project: Project, rules: Rules) -> Step | None:
    """Where a deployment sets what is read, if all that are known to take the address do."""
    code, path = Code.of(project, rules), reads[0].site.module.path
    names = [v for r in reads for v in r.variables]
    return provided(code, stages, path, names, partial(_takes, code, path))


def _takes(code: Code, path: str, one: Running) -> bool:
    return not code.is_apart(one, path)


def _addresses(values: Values, built: Construction) -> Iterator[tuple[str, list[Possible]]]:
    """The places of ``built`` that say where to connect, with the values there; of options that stand elsewhere as a
    whole (``new Redis(config.redis)``) the keys."""
    for place, value in built.addresses():
        sites = values.objects(built.module, value) if place == "0" and type(value) in (p.Member, p.Name) else []
        record = sites[0].node if len(sites) == 1 else None
        if type(record) is p.Record and all(entry.key is not None for entry in record.entries):
            keys = [key for key in built.entry["address"] if not key.isdigit()]
            yield from ((key, found) for key in keys if (found := values.part(sites[0], key)))
        else:
            yield place, values.possible(built.module, value)


def _is_given_outside(built: Construction, project: Project, rules: Rules) -> bool:
    """Whether a deployment gives the program a variable from which the library takes the address by itself."""
    names = built.entry.get("environment", ())
    code = Code.of(project, rules)
    return bool(names) and any(built.module.path in code.files(one) for one in code.running
                               if any(name in one.environment for name in names))


def _falls_back(built: Construction) -> bool:
    return _local(built.entry) or "localhost" in built.entry.get("missing_at", {}).values()


def _may_hold_address(built: Construction, place: str) -> bool:
    """Whether the option at ``place`` may say where to connect: not where it is spelled out and says other things."""
    value = built.option(place)
    if type(value) is not p.Record or any(type(entry.key) is not p.Text for entry in value.entries):
        return value is not None
    words = {key.rpartition(".")[2] for key in (*built.entry["address"], *built.entry["address_elsewhere"])}
    return any(type(entry.key) is p.Text and entry.key.value in words | {"connectionString"} for entry in value.entries)


def _local(entry: dict[str, Any]) -> bool:
    """Whether the library goes to its own machine where it is given no address: by loopback, or by a local socket."""
    return entry.get("missing") == "localhost" or (entry.get("missing") == "fails" and "missing_address" in entry)


def _dials(built: Construction, place: str) -> bool:
    at = built.entry.get("missing_at", {}).get(place)
    return _local(built.entry) if at is None else at == "localhost"


def _is_port(place: str, possible: list[Possible]) -> bool:
    """Whether a place of the tables holds a port here: by its name, or because nothing but a number stands there."""
    if place.rpartition(".")[2].lower().endswith("port"):
        return True
    return bool(possible) and all(q.text is not None and q.text.isdigit() for q in possible)


def _may_be_unset(built: Construction, place: str, possible: list[Possible]) -> bool:
    """Whether the value may be nothing because a read found nothing, and the library then dials loopback."""
    if not _dials(built, place):
        return False
    return any(_is_nothing(built, q) and any(not _is_demanded_by_build(r) for r in q.absent) for q in possible)


def _is_demanded_by_build(read: Read) -> bool:
    """Whether the program is not built where the variable is not there."""
    return read.form == "import" and read.absent == "raises"


def _is_nothing(built: Construction, q: Possible) -> bool:
    """Whether a value is no address to the library: nothing, or an empty text where that is the same to it."""
    return q.nothing or (q.text == "" and built.entry.get("empty", False))


def _has_unseen_options(built: Construction) -> bool:
    """Whether some argument may hold options that are not seen: a spread, or an object from elsewhere beside those
    places where an address stands."""
    positions = [int(place) for place in built.entry["address"] if place.isdigit()]
    for number, argument in enumerate(built.call.args):
        record = record_of(built.module, argument.value, built.project)
        if argument.spread:
            if record is None or any(entry.key is None for entry in record.entries):
                return True
        elif record is not None:
            if any(entry.key is None for entry in record.entries):
                return True
        elif argument.name is None and number not in positions and built.entry["language"] == "javascript" and not any(
                type(later.value) is p.Record for later in built.call.args[number + 1:]):
            if type(argument.value) not in (p.Text, p.Concat, p.Number, p.Function):
                return True
    return False


def _known_to_be_bare(built: Construction) -> bool:
    """Whether the constructor is seen to be given no address: no positional argument that could hold one."""
    if not _local(built.entry):
        return False
    for argument in built.call.args:
        if argument.spread:
            return False
        if argument.name is None and type(argument.value) is not p.Record:
            if any(place.isdigit() or built.entry["language"] == "javascript" for place in built.entry["address"]):
                return False
    return not _has_unseen_address(built)


def _is_told_later(built: Construction) -> bool:
    """Whether something else gives the client its configuration, once it has been made: ``app.config_from_object(…)``.

    The table names the members that do so (``configured_by``).
    """
    members = built.entry.get("configured_by", ())
    above = built.module.parent(built.call)
    if not members or type(above) is not p.Let or type(above.target) is not p.Name:
        return False
    readers = references(built.module, above.target.id, above.target)
    return any(type(member := built.module.parent(reader)) is p.Member and member.of is reader
               and member.name in members for reader in readers)


def _asks_the_client(built: Construction, places: Iterable[str]) -> bool:
    """Whether the file asks the client itself for the address that it was given, as who sends nothing without one
    does: ``if (!transport.options.host) return``."""
    module = built.module
    above = module.parent(built.call)
    if type(above) is not p.Let or type(above.target) is not p.Name:
        return False
    keys = {place.rpartition(".")[2] for place in places if not place.isdigit()}
    for reader in references(module, above.target.id, above.target):
        below: Any = reader
        while type(member := module.parent(below)) is p.Member and member.of is below:
            below = member
        if below is reader or below.name not in keys:
            continue
        while type(module.parent(below)) in (p.Not, p.Logical):
            below = module.parent(below)
        deciding = module.parent(below)
        if type(deciding) is p.If and deciding.test is below and ends(module, deciding.then):
            return True
    return False


def _has_unseen_address(built: Construction) -> bool:
    """Whether an option is there that may carry the address under another key or as a whole."""
    keys = {argument.name for argument in built.call.args if argument.name is not None}
    for argument in built.call.args:
        if type(argument.value) is p.Record:
            keys |= {e.key.value if type(e.key) is p.Text else "*" for e in argument.value.entries}
    heads = {place.partition(".")[0] for place in built.entry["address"]}
    return "*" in keys or bool(keys & heads) or bool(keys & set(built.entry.get("address_elsewhere", ())))


def is_checked(values: Values, stages: Stages, module: Module, node: Any, reads: tuple[Read, ...],
               project: Project, rules: Rules) -> bool:
    """Whether ``node`` is reached only where the variables are set: a test around it, a check that stops the program
    before, here or in the project's settings."""
    names = {v for r in reads for v in r.variables}
    programs = programs_of(project, stages)
    for condition in stages.held(module, node):
        if names.intersection(v for r in values.absent(condition.module, condition.test, not condition.truth)
                              for v in r.variables):
            return True
    homes = {id(r.site.module): r.site.module for r in reads}
    homes[id(module)] = module
    for home in homes.values():
        for demand in demands_of(values, stages, home):
            around = home is not module or demand.way is None or demand.way[0] <= node.at[0] < demand.way[1]
            if around and names & demand.variables and _comes_before(programs, rules, home, demand.node, module, node):
                return True
    checks = (it for name in sorted(names) for it in _checks_around(values, stages, project, module, name))
    return any(_comes_before(programs, rules, home, check, module, node) for home, check in checks)


def _comes_before(programs: Programs, rules: Rules, home: Module, check: Any, module: Module, node: Any) -> bool:
    """Whether ``check`` in ``home``, None for what holds everywhere, may be made before ``node`` in ``module`` runs."""
    return check is None or may_precede(programs, rules.apis, home, check, module, node)


def _checks_around(values: Values, stages: Stages, project: Project, module: Module,
                   name: str) -> list[tuple[Module, Any]]:
    """Where a module of the same package, or one that ``module`` imports, declares the variable as required or asks
    whether it is set: the node that does, None for a schema or a question."""
    root = package_root(project, module.path)
    memo = project.memo.setdefault(_checks_around, {})
    if (root, name) not in memo:
        near = [path for path in sorted(project.tree.paths)
                if path.endswith(tuple(project.readers)) and package_root(project, path) == root]
        memo[root, name] = _validating(values, stages, project, near, name)
    return [*memo[root, name], *_validating(values, stages, project, reached(project, module), name)]


def _validating(values: Values, stages: Stages, project: Project, paths: list[str],
                name: str) -> list[tuple[Module, Any]]:
    """Where the files ``paths`` ask for the variable, with the node that does; None for a schema or a question."""
    word = name.encode()
    found: list[tuple[Module, Any]] = []
    for path in paths:
        if stages.of_path(path) != "production":
            continue
        data = project.tree.read(path)
        if data is None or word not in data:
            continue
        module = project.module(path)
        if module is None:
            continue
        found += [(module, demand.node) for demand in demands_of(values, stages, module) if name in demand.variables]
        found += [(module, test) for test in _tested(values, module).get(name, ())]
        found += [(module, None) for declaration in values.environment.declarations(module)
                  if name in declaration.variables and declaration.required]
    return found


def _tested(values: Values, module: Module) -> dict[str, list[Any]]:
    """Variables that the module asks whether they are set, with the places: what depends on them is mostly behind such
    a test. None stands for a function that answers the question, which anybody may ask."""
    found: dict[str, list[Any]] | None = module.memo.get(_tested)
    if found is None:
        found = {}
        asking: list[Any] = [*module.nodes(p.If), *module.nodes(p.Conditional)]
        tests: list[tuple[Any, Any]] = [(node.test, node) for node in asking]
        tests += [(node.value, None) for node in module.nodes(p.Return)
                  if node.value is not None and values.asks(module, node.value)]
        for test, place in tests:
            reads = values.absent(module, test, False)
            if type(place) is p.If and ends(module, place.then):
                reads += values.absent(module, test, True)  # ``if (!url) return next()``
            for name in dict.fromkeys(v for r in reads for v in r.variables):
                found.setdefault(name, []).append(place)
        module.memo[_tested] = found
    return found


def _target(values: Values, built: Construction, names: list[str], stages: Stages, rules: Rules) -> str:
    """What the library dials by itself where it is given no address, in a browser or anywhere else."""
    there = built.entry.get("missing_in_pages")
    prefixes = tuple(prefix for entry in rules.apis.get("browser", ()) for prefix in entry["prefixes"])
    if there and (stages.is_for_browsers(built.module.path) or all(name.startswith(prefixes) for name in names)):
        return str(there)
    return dialled(values, built)


def dialled(values: Values, built: Construction) -> str:
    """What the library dials where it is told no host: with the port that stands beside the host that is missing, or
    the one that goes with its other options; without any where these are not known."""
    address = str(built.entry.get("missing_address", "localhost"))
    host, colon, _ = address.partition(":")
    if not colon:
        return address
    for case in built.entry.get("missing_where", ()):
        options = {place: wanted for place, wanted in case.items() if place != "address"}
        if built.given(options):
            address = str(case["address"])
        elif any(type(constant_of(built.module, value, built.project)) not in (p.Text, p.Constant)
                 for place in options if (value := built.option(place)) is not None):
            address = host
    places = [place.removesuffix("host") + "port" for place in built.entry["address"] if place.endswith("host")]
    told = next((value for place in places if (value := built.option(place)) is not None), None)
    if told is None:
        return address
    ports = {q.text for q in values.possible(built.module, told) if q.text is not None}
    if len(ports) > 1 or not all(port.isdigit() for port in ports):
        return host
    return f"{host}:{ports.pop()}" if ports else address


def _unset(values: Values, client: str, reads: tuple[Read, ...], target: str, built: Step,
           given_at: Step | None) -> Draft:
    read = reads[0]
    names = list(dict.fromkeys(shown_variable(v) for r in reads for v in r.variables))
    place = Place(read.site.module.path, read.site.node.at)
    steps = (
        Step(place, f"{' or '.join(names)} is read here, and nothing checks that it is set"),
        built, *([given_at] if given_at is not None else ()),
    )
    slots = {"variable": names[0], "variables": " and ".join(names), "client": client, "target": target}
    fix = require(values, reads, read.site) if len(reads) == 1 else None
    return Draft("unset" if given_at is None else "provided", place, slots, names[0], steps, fix=fix)


def _none(values: Values, module: Module, built: Construction) -> Draft:
    target = dialled(values, built)
    outcome = "environment" if built.entry.get("environment") else "none"
    slots = {"client": built.name, "target": target, "variables": ", ".join(built.entry.get("environment", ())[:1])}
    return Draft(outcome, Place(module.path, built.call.at), slots, built.name)
