"""The verbs of the command line, by what they are for; each runs the stage of its name."""
