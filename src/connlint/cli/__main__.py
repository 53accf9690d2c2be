"""``python -m connlint.cli`` is ``connlint``."""

from connlint.cli import main

if __name__ == "__main__":
    main()
