"""The loop from a request to the chosen candidate: generate, inspect, run in the sandbox, repair, choose."""
