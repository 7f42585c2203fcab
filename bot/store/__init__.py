"""What the house remembers: given a connection, returns domain values, never commits."""
