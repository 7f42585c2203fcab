"""Rules of the queue that intake, outbox, desk and web apply alike; given a connection, never commits."""
