"""`python -m roundsman`."""

import sys

from roundsman import main

sys.exit(main())
