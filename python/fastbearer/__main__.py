"""``python -m fastbearer``: the same as the command ``fastbearer``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
