"""Storage drivers behind one interface."""
