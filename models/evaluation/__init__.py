"""How well a model does on rows it has not seen."""
