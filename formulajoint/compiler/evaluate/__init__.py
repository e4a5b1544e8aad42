"""The value of a contrast node, in the model and on draws."""
