"""The only code that makes a post public, changes it, takes it down or reads it back."""
