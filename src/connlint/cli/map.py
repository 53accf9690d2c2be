"""``connlint map``: the picture of what is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from connlint.cli import given as shared
from connlint.cli.given import NOTHING, configured, current_folder, fail


@click.command("map", short_help="Draw what is deployed.")
@click.argument("path", required=False, type=click.Path(path_type=Path, readable=False))
@click.option("--format", "format_", type=click.Choice(["text", "mermaid", "json", "html"]), default="text",
              show_default=True, help="How to draw it.")
@shared.output("map")
@shared.config
@shared.exclude
@shared.jobs
@shared.color
def map_(path: Path | None, format_: str, output: Path | None, **given: Any) -> None:
    """Draw what is deployed: services, where they listen, what they connect to, and what is missing.

    PATH is a project, or a folder or file of the project around the current folder, to draw its deployments only.
    What could not be known is drawn as unknown.

    \b
    Examples:
      connlint map
      connlint map deploy/ --format mermaid
      connlint map --format html --output map.html
    """
    from connlint.charting import Unchartable, chart
    from connlint.reporters import OutputError, write_map

    here = current_folder()
    rules, config = configured(here if path is None or not path.is_dir() else path.absolute(), {**NOTHING, **given})
    try:
        drawn = chart(path, here, rules, config, given["jobs"])
        write_map(drawn, format_, output, color=given["color"])
    except (Unchartable, OutputError) as error:
        fail(str(error))
