"""connlint: a static-analysis linter for connectivity anti-patterns."""

__version__ = "0.1.0"
