"""Python, as libcst reads it."""
