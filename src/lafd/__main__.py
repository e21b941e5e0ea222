"""`python -m lafd` is the command `lafd`."""

import sys

from lafd.cli import main

sys.exit(main())
