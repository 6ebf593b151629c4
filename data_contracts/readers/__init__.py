"""One reader per kind of source; each turns its source into the columns of the records."""
