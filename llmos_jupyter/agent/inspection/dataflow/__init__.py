"""What is known of every value in a candidate, from the live objects on: columns, types, results of calls."""
