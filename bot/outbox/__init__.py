"""Posts go out: claim, prepare, mark, call, record; and what to do when no answer came."""
