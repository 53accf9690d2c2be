"""Connlint in an editor: `desk` checks what is open, `wording` says it in the protocol's words, `server` speaks it."""
