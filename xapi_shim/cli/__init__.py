"""xe: a XenAPI client for the command line."""
