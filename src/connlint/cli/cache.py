"""``connlint cache``: what is kept from earlier runs."""

from __future__ import annotations

from pathlib import Path

import click

from connlint.cli import given as shared
from connlint.cli.given import fail


@click.group(short_help="Clear what is kept from earlier runs.")
def cache() -> None:
    """Reports of earlier runs are kept among the user's caches, for as long as nothing changes that they rest on.

    They make runs fast and change no result; the folder may be deleted at any time.

    \b
    Example:
      connlint cache clear
    """


@cache.command(short_help="Delete it.")
@shared.cache_dir
def clear(cache_dir: Path | None) -> None:
    """Delete what is kept from earlier runs, of all projects."""
    from connlint.cache import Cache, own_folder

    folder = cache_dir or own_folder()
    if folder is None:
        fail("nothing is kept: there is no home folder")
    try:
        size = Cache(folder).clear()
    except OSError as error:
        fail(str(error))
    click.echo(f"{folder}: {size / 1_000_000:.1f} MB deleted" if size else f"{folder}: nothing is kept there")
