"""A test file for each module of `helpers`, under its name."""
