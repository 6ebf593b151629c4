"""What verb doctor looks at: the place, the tables, what each outcome can hope for, and the next step."""
