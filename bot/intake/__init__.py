"""Articles come in: ask a source, merge, decide per channel, queue."""
