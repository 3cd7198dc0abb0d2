"""`python -m llmos_jupyter.daemon`: be the daemon."""

from llmos_jupyter.daemon.lifecycle import serve

raise SystemExit(serve())
