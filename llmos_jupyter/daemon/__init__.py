"""The one process that all notebooks of a user share: models, engines, tasks, events."""
