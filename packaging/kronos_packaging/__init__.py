"""The factory: components and targets in, packages and signed repositories out."""
