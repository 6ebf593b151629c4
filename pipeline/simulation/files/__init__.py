"""Rows as source files: CSV, Parquet or FHIR, as the readers expect them."""
