"""The network stacks of the distros: how each configures the management interface, and how that moves to a bridge."""
