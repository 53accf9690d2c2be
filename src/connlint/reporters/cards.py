"""Rules for people: one card on the terminal, the list of all, and the tables in the project's own documents.

``python -m connlint.reporters.cards`` writes ``rules/README.md`` and the table in ``README.md`` anew.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from connlint.model.finding import LEVELS
from connlint.model.rule import Card, Rules

_START, _END = "<!-- rules: written by `python -m connlint.reporters.cards` -->", "<!-- end of rules -->"


def title(card: Card) -> str:
    """What a rule is called in words: its name, or the first sentence of its manual where the name is only the id."""
    if card.name and card.name != card.id:
        return card.name
    return _first_sentence(card.summary)


def _first_sentence(text: str) -> str:
    found = re.match(r"(.+?[.!?])(?:\s|$)", text, re.S)
    return found[1].rstrip(".") if found else text


def page(card: Card) -> str:
    """The whole card as Markdown, under a title."""
    others = sorted({outcome.level for outcome in card.outcomes.values()} - {card.level}, key=LEVELS.index)
    level = f"{card.level}, on other evidence {' or '.join(others)}" if others else card.level
    return f"# {card.id}\n\n{title(card)}. Family: {card.family}. Level: {level}.\n\n{card.manual}\n"


def render(card: Card) -> None:
    """Show a card on standard output: laid out on a terminal, as Markdown elsewhere."""
    if not sys.stdout.isatty():
        from connlint.reporters import print_safely

        print_safely(page(card))
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.padding import Padding

    console = Console(width=min(100, Console().width))
    console.print(Padding(Markdown(page(card), code_theme="ansi_dark"), (1, 2)))


def rules_table(rules: Rules) -> str:
    """All rules as aligned text, a family a paragraph."""
    wide = max((len(rule) for rule in rules.cards), default=0)
    paragraphs = []
    for family, ids in sorted(rules.families().items()):
        rows = [f"  {rule:<{wide}}  {rules.cards[rule].level:<7}  {title(rules.cards[rule])}" for rule in ids]
        paragraphs.append("\n".join([family, *rows]))
    return "\n\n".join(paragraphs)


def rules_json(rules: Rules) -> str:
    """All rules as a JSON list with id, name, family, level, precision and summary."""
    rows = [
        {"id": card.id, "name": title(card), "family": card.family, "level": card.level,
         "precision": card.precision, "summary": card.summary}
        for card in rules.cards.values()
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def rules_markdown(rules: Rules, folder: str = "") -> str:
    """The table of all rules; links lead into ``folder`` ("" or with a slash at its end)."""
    parts = []
    for family, ids in sorted(rules.families().items()):
        cards = [rules.cards[rule] for rule in ids]
        rows = [f"| [`{card.id}`]({folder}{card.id}.md) | {card.level} | {_cell(card)} |" for card in cards]
        parts.append("\n".join([f"### {family}", "", "| rule | level | reports |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts)


def _cell(card: Card) -> str:
    return _first_sentence(card.summary).replace("|", "\\|").replace("\n", " ")


def documents(rules: Rules, root: Path) -> dict[Path, str]:
    """What the documents of the project at ``root`` should hold: path → text."""
    found = {
        root / "rules" / "README.md": (
            "# The rules\n\nEach is a card: a block of TOML that connlint reads, and the rule's manual, whose examples "
            "are run by the tests. `connlint explain RULE` shows it.\n\nThis page is written by "
            "`python -m connlint.reporters.cards`.\n\n" + rules_markdown(rules).replace("### ", "## ") + "\n"
        ),
    }
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    before, start, rest = text.partition(_START)
    _, end, after = rest.partition(_END)
    if start and end:
        found[readme] = f"{before}{start}\n\n{rules_markdown(rules, 'rules/')}\n\n{end}{after}"
    return found


def main() -> None:
    """Write the documents anew."""
    from connlint import cards

    for path, text in documents(cards.load(), cards.built_in().parent).items():
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
