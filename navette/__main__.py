"""``python -m navette``: the same as the command ``navette``; never does anything else."""

import sys

from navette.cli import main

if __name__ == "__main__":
    sys.exit(main())
