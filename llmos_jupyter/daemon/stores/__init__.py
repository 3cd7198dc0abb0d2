"""What the daemon keeps on disk: tasks, jobs, steps, usage, and what was learned."""
