"""The one leaf every room may import: paths, processes, atomic files, identifiers, errors, progress."""
