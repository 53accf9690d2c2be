"""Python, as its own parser reads it, or libcst."""
