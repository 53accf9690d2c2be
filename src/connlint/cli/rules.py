"""``connlint rules`` and ``connlint explain``: what is looked for."""

from __future__ import annotations

import sys

import click

from connlint.cli.given import NOTHING, complete_rules, configured, current_folder, fail


@click.command(short_help="List the rules.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="How to list them.")
def rules(format_: str) -> None:
    """List the rules by family, those of the project's own among them: id, level, and what each finds.

    An id or a family is what `--select`, `--ignore`, the configuration and a comment `connlint: ignore[…]` take. The
    level is that of most findings of the rule; the evidence of one may give it another.

    \b
    Examples:
      connlint rules
      connlint rules --format json
    """
    from connlint.reporters import print_safely
    from connlint.reporters.cards import rules_json, rules_table

    loaded, _ = configured(current_folder(), NOTHING)
    print_safely((rules_json(loaded) if format_ == "json" else rules_table(loaded)) + "\n", utf8=format_ == "json")
    if format_ == "text" and sys.stdout.isatty():
        click.echo("\n`connlint explain RULE` shows what a rule reports, why, and how to mend it.")


@click.command(short_help="Show the card of a rule.")
@click.argument("rule", shell_complete=complete_rules)
def explain(rule: str) -> None:
    """Show the card of RULE: what it reports, why, how to mend it, where it stays silent.

    For the name of a family, list its rules.

    \b
    Example:
      connlint explain env-localhost-fallback
    """
    from difflib import get_close_matches

    from connlint.reporters import print_safely
    from connlint.reporters.cards import render, rules_table

    loaded, _ = configured(current_folder(), NOTHING)
    card = loaded.cards.get(rule)
    if card is None:
        families = loaded.families()
        if rule in families:
            some = {name: loaded.cards[name] for name in families[rule]}
            print_safely(rules_table(type(loaded)(some, loaded.apis)) + "\n")
            return
        near = get_close_matches(rule, (*loaded.cards, *families), 1)
        fail(f"no rule {rule!r}" + (f"; did you mean {near[0]!r}?" if near else "; see `connlint rules`"))
    render(card)
