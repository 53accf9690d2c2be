"""What there is to know of a read of the environment: the tables of those who read, a read, a declaration."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.module import Module

VARIABLE = regex(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$|[A-Z_][A-Z0-9_]{2,}$")
"""What a variable's name looks like, where nothing else says that it is one."""


class Access(Struct, frozen=True, eq=False):
    """One read of the environment as it is written.

    ``names`` are expressions or texts that name the variable, the first that is set wins; ``prefix`` stands before
    each. ``default`` is the value without it. ``absent`` says what else happens: "raises", "nothing", or "default" (an
    own value of the reader). ``writes`` is set where the default is stored in the environment; ``plain`` where the
    process's environment itself is read, and no library stands between. ``strict`` is the method of the same object
    that raises instead, "" where there is none; ``takes`` the function beside the one that is called which takes the
    value.
    """

    node: Any
    names: tuple[p.Expression | str, ...]
    default: p.Expression | None
    absent: str
    prefix: str = ""
    form: str = "call"
    writes: bool = False
    plain: bool = False
    strict: str = ""
    takes: str = ""


class Declaration(Struct, frozen=True, eq=False):
    """A variable that a settings class, schema or record declares, at ``node``, with its ``default`` expression.

    ``optional`` says that nothing is a value too; ``field`` is the attribute of the class ``owner`` that holds it.
    """

    variables: tuple[str, ...]
    node: Any
    default: p.Expression | None
    field: str = ""
    owner: Any = None
    optional: bool = False

    @property
    def required(self) -> bool:
        """Whether the program stops where the variable is not set."""
        return self.default is None and not self.optional


class Readers:
    """The ``[[reader]]`` tables of one language, ready to be asked."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.entries = entries
        self.mappings: dict[str, dict[str, Any]] = {}
        self.loaded: dict[str, dict[str, Any]] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.modules: dict[str, dict[str, Any]] = {}
        self.fields: dict[str, dict[str, Any]] = {}
        self.factories: dict[str, dict[str, Any]] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.parsed: dict[str, dict[str, Any]] = {}
        self.chains: dict[str, dict[str, Any]] = {}
        self.trees: dict[str, dict[str, Any]] = {}
        self.receivers: dict[str, dict[str, Any]] = {}
        self.fluent: dict[str, dict[str, Any]] = {}
        self.classes: dict[str, dict[str, Any]] = {}
        """The classes of objects that are else known by their own name, as they are written down for a parameter."""
        self.records: list[dict[str, Any]] = []
        self.properties: list[dict[str, Any]] = []
        self.named: dict[str, dict[str, Any]] = {}
        self.pickers: dict[str, dict[str, Any]] = {}
        homes = {"mapping": self.mappings, "loaded": self.loaded, "call": self.calls, "object": self.objects,
                 "module": self.modules, "fields": self.fields, "factory": self.factories, "schema": self.schemas,
                 "parsed": self.parsed, "chain": self.chains, "tree": self.trees, "named": self.named,
                 "picker": self.pickers}
        for entry in entries:
            form = entry["form"]
            if form == "record":
                self.records.append(entry)
            elif form == "properties":
                self.properties.append(entry)
            elif form in ("receiver", "fluent"):
                home = self.receivers if form == "receiver" else self.fluent
                home.update(dict.fromkeys(entry["receivers"], entry))
                self.classes.update(dict.fromkeys(entry["names"] if form == "receiver" else (), entry))
            else:
                homes[form].update(dict.fromkeys(entry["names"], entry))


def declared_type(module: Module, of: Any) -> Any:
    """The type that is written down for a parameter, or for one that a constructor keeps: ``this.settings``."""
    if type(of) is p.Name:
        found = module.only(of.id, of)
        return found.node.annotation if found is not None and found.kind == "param" else None
    if type(of) is not p.Member or type(of.of) is not p.Name or of.of.id != "this":
        return None
    owner = next((above for above in module.parents(of) if type(above) is p.Class), None)
    for define in owner.body if owner is not None else ():
        if type(define) is p.Define and type(define.value) is p.Function and define.value.kind == "constructor":
            return next((it.annotation for it in define.value.params
                         if type(it.target) is p.Name and it.target.id == of.name), None)
    return None
