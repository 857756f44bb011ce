"""`python -m apps.devstack mypy`: runs a tool that imports the settings in the environment of a laptop."""

import os
import sys

from apps.devstack import environment

environment.apply()
os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 (the tool that the developer named)
