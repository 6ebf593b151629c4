"""Backup and restore of all that the service keeps: store, audit log with its heads, bundles (docs/deploy/backup.md)."""
