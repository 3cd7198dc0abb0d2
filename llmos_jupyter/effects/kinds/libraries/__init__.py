"""What libraries make: arrays, tables, tensors, models, figures, pictures."""
