"""Deployment files of every make, read to the values of `connlint.model.deployment`."""
