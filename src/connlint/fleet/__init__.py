"""Many repositories: `listed` says which, `visit` scans one, `crew` has many visited at once, `summary` tells of it."""
