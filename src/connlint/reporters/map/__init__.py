"""The map as text, Mermaid, JSON and HTML: one module a format, each `render(map_, options) -> str`."""

from __future__ import annotations

from importlib import import_module

from connlint.model.map import Map
from connlint.reporters import Options

FORMATS = {"text": "text", "mermaid": "mermaid", "json": "json", "html": "html"}
"""Name of a format → the module that writes it."""


def render(map_: Map, format_: str, options: Options) -> str:
    """``map_`` in one of the formats."""
    module = import_module(f"connlint.reporters.map.{FORMATS[format_]}")
    text: str = module.render(map_, options)
    return text
