"""The version, in a module of its own: what needs it need not import the package's entry points."""

__version__ = "0.1.0"
