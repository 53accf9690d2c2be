"""The map: what was understood of a project's deployment, as values that every reporter draws alike.

One noun a module: `deployments` (which services belong together), `neighbours` (names and what they lead to),
`listening` (ports), `addresses` (what manifests and commands say about where to connect), `code` (which code a service
runs, and what it reads), `troubles` (findings of the rules, by service). `drawing` puts them together.
"""
