"""``connlint facts``: what the reader saw in a file."""

from __future__ import annotations

from pathlib import Path

import click

from connlint.cli.given import fail


@click.command(short_help="Print what the reader saw in a file.")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
def facts(file: Path) -> None:
    """Print what the reader saw in FILE: the lowered program, with positions.

    This is what all checks go by: the first thing to look at where a finding is wrong or missing.

    \b
    Example:
      connlint facts src/app.ts
    """
    from connlint.discover import CODE
    from connlint.languages.dump import dump
    from connlint.model.source import Source, Undecodable
    from connlint.reporters import print_safely
    from connlint.session import reader_for

    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"{file}: {(error.strerror or str(error)).lower()}")
    if file.suffix not in CODE:
        fail(f"{file}: not a kind of file that is read ({', '.join(CODE)})")
    try:
        source = Source.decode(file.as_posix(), data, cookie=file.suffix == ".py")
    except Undecodable as error:
        fail(f"{file}: {error}")
    program = reader_for(file.suffix)(source, None)
    print_safely(dump(program, source) + "\n")
    for problem in program.problems:
        click.echo(f"problem: {problem.kind}: {problem.message}", err=True)
