"""Inference servers as processes of ours: how each is started, guarded by a key, watched, and begun anew."""
