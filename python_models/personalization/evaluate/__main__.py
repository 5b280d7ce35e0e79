"""Run the command as `python -m personalization.evaluate`."""

import sys

from personalization.evaluate.cli import main

if __name__ == "__main__":
    sys.exit(main())
