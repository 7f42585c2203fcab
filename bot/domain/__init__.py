"""What the newsroom's words mean: pure values and functions, standard library only."""
