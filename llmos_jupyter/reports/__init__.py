"""What people read outside an answer: tables of tasks and models, traces, the doctor."""
