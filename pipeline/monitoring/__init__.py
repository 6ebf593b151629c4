"""The parts of verb monitor: windows of rows, sections of the report, page and metrics."""
