"""Whether the programme works: designs with a control, their intervals, and what chance and regression to the mean explain."""
