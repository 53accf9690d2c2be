"""What the readers say and the checks are told: values only, no parser, no disk."""
