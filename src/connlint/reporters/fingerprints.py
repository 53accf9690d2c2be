"""What makes a finding the same finding in another run, although lines have moved."""

from __future__ import annotations

from connlint.model.finding import Finding


def fingerprint(finding: Finding) -> str:
    """32 hexadecimal digits of rule, symbol, path and ordinal: no lines, no message, so that both may change."""
    from hashlib import sha256

    parts = (finding.rule, finding.symbol, finding.place.path, str(finding.ordinal))
    return sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
