"""What can be done to a host, each with its undo. A step decides nothing: the plan has decided."""
