"""The doors to the outside: health, metrics, the push API."""
