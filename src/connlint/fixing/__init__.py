"""Applying fixes: which of them go together (`offers`), the proof of each (`proof`), passes until nothing changes
(`passes`), and what becomes of the outcome: files (`files`), or a patch (`patch`)."""
