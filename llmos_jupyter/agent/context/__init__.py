"""What the model is told of the notebook: cells, variables, the request, in an order that keeps the engine's cache."""
