"""What messages do: one module per XenAPI class."""
