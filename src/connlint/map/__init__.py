"""The map: what was understood of a project's deployment, as values that every reporter draws alike.

One noun a module: `deployments` (which services belong together), `neighbours` (names and what they lead to),
`listening` (ports), `programs` (what is started, and the files), `origins` (from an image back to the project),
`addresses` (what manifests and commands say about where to connect), `configurations` (what files say that a service
is given), `code` (which code a service runs, and what it reads), `shares` (whose of several it is), `troubles`
(findings of the rules, by service). `drawing` puts them together.
"""
