"""The first lines of the packed uploader; never more than the start of ``python -m uploader``."""

import sys

from uploader.__main__ import main

sys.exit(main())
