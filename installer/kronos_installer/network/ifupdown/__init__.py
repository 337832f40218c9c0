"""ifupdown: interfaces(5), as Debian's ifupdown 0.8 reads it."""
