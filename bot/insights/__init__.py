"""What readers did with posts: figures are heard and asked for, kept as series, added up and drawn."""
