"""``connlint rules`` and ``connlint explain``: what is looked for."""

from __future__ import annotations

from pathlib import Path

import click

from connlint.cli.given import NOTHING, complete_rules, configured, fail


@click.command(short_help="List the rules.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(format_: str) -> None:
    """List the rules, those of the project's own among them."""
    from connlint.reporters.cards import rules_json, rules_table

    loaded, _ = configured(Path.cwd(), NOTHING)
    click.echo(rules_json(loaded) if format_ == "json" else rules_table(loaded))


@click.command(short_help="Show the card of a rule.")
@click.argument("rule", shell_complete=complete_rules)
def explain(rule: str) -> None:
    """Show the card of RULE: what it reports, why, how to mend it, where it stays silent."""
    from difflib import get_close_matches

    from connlint.reporters.cards import render

    loaded, _ = configured(Path.cwd(), NOTHING)
    card = loaded.cards.get(rule)
    if card is None:
        near = get_close_matches(rule, loaded.cards, 1)
        fail(f"no rule {rule!r}" + (f"; did you mean {near[0]!r}?" if near else "; see `connlint rules`"))
    render(card)
