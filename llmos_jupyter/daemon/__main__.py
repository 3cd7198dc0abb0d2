"""`python -m llmos_jupyter.daemon`: be the daemon."""

from llmos_jupyter.daemon.serving import serve

# Processes that it spawns import this module again.
if __name__ == "__main__":
    raise SystemExit(serve())
