"""Which model runs, on which device, in which inference server."""
