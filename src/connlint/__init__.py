"""connlint: a static-analysis linter for connectivity anti-patterns.

`scan` checks a project from Python and returns a `Report`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connlint.model.report import Report
    from connlint.scanning import ScanError, scan

__version__ = "0.1.0"
__all__ = ["Report", "ScanError", "__version__", "scan"]

_HOMES = {"Report": "connlint.model.report", "ScanError": "connlint.scanning", "scan": "connlint.scanning"}


def __getattr__(name: str) -> Any:
    """What is offered to programs, imported when it is asked for: the command line needs little of it."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
