"""What lies open in one folder of an editor, and what there is to report on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from connlint.discover import CODE, Selection, set_aside_by_name
from connlint.engine import run
from connlint.fixing.offers import Offer, edited, offers
from connlint.fixing.proof import fault_of_text, faults
from connlint.model.report import Report
from connlint.model.source import Source, Undecodable
from connlint.project.tree import OverlayTree
from connlint.readings import Readings
from connlint.scanning import Scope


class Settings(Struct, frozen=True, rename="camel"):
    """What the editor is told by its user; the names are in camel case there."""

    config: str | None = None
    """The configuration file, where it is not the nearest one."""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    delay: int = 250
    """Milliseconds without a change before what is open is checked."""


class Checked(Struct):
    """What one look at the desk has found. ``proofs`` are filled when somebody asks for an offer."""

    selection: Selection
    scope: Scope
    report: Report
    proofs: dict[int, str | None] = field(default_factory=dict)


class Desk:
    """One folder. What was read of its files is kept by their content, so a change reads one file anew."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._readings = Readings()

    def check(self, texts: Mapping[str, str], settings: Settings) -> Checked:
        """Check the open files, by path relative to the root, with the text that the editor shows.

        The configuration and the list of files are those of now. Raises `ScanError`.
        """
        scope = Scope.of(self.root, config=settings.config, select_rules=settings.select, ignore_rules=settings.ignore,
                         jobs=1)
        whole = scope.selection
        contents = {path: _as_saved(path, text) for path, text in texts.items()}
        aside = {item.path for item in whole.set_aside}
        wanted = [path for path in sorted(texts) if path not in aside
                  and (path in whole.tree.paths or not (set_aside_by_name(path) or scope.config.excluded(path)
                                                        or whole.tree.ignored(path)))]
        selection = Selection(OverlayTree(whole.tree, contents), [path for path in wanted if path.endswith(CODE)],
                              [path for path in wanted if not path.endswith(CODE)])
        return Checked(selection, scope, self._run(selection, scope))

    def _run(self, selection: Selection, scope: Scope) -> Report:
        return run(selection, scope.rules, scope.config, scope.options, readings=self._readings)

    def offered(self, checked: Checked, findings: Collection[int] | None = None) -> list[Offer]:
        """The edits that treat ``findings`` (by number in the report; all if None), as far as each is proved."""
        proved = []
        for offer in offers(checked.report, unsafe=True):
            numbers = [number for number, finding in enumerate(checked.report.findings) if finding in offer.findings]
            if findings is not None and not set(numbers) & set(findings):
                continue
            if numbers[0] not in checked.proofs:
                checked.proofs[numbers[0]] = self._fault(checked, offer)
            if checked.proofs[numbers[0]] is None:
                proved.append(offer)
        return proved

    def _fault(self, checked: Checked, offer: Offer) -> str | None:
        """Why an offer does not hold, as far as what is open shows; None where it does."""
        before, selection = checked.report, checked.selection
        try:
            after = edited([offer], before.sources)
        except UnicodeEncodeError:
            return "the file's encoding lacks a character"
        for path, data in after.items():
            if reason := fault_of_text(path, before.sources[path].data, data):
                return reason
        changed = Selection(OverlayTree(selection.tree, after), selection.code, selection.other)
        found = faults(before, self._run(changed, checked.scope), [offer])
        return found[0].reason if found else None


def _as_saved(path: str, text: str) -> bytes:
    """The bytes that the editor would most likely write for ``text``."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        encoding = Source.decode(path, data, cookie=path.endswith((".py", ".pyi"))).encoding
        return data if encoding == "utf-8" else text.encode(encoding)
    except (Undecodable, UnicodeEncodeError):
        return data


def settings_of(given: Any) -> Settings:
    """The settings in what an editor sends: those of ours, alone or under our name; what is not right is left out."""
    import msgspec

    if isinstance(given, Mapping) and isinstance(given.get("connlint"), Mapping):
        given = given["connlint"]
    found: dict[str, Any] = {}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        try:
            msgspec.convert({name: value}, Settings)
        except msgspec.ValidationError:
            continue
        found[name] = value
    return msgspec.convert(found, Settings)
