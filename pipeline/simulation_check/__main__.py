"""Put a run's report into the documentation: python -m pipeline.simulation_check REPORT_DIRECTORY DOCS_DIRECTORY."""

import sys
from pathlib import Path

from pipeline.simulation_check.run import copy_to_documentation

copy_to_documentation(*map(Path, sys.argv[1:]))
