"""xapi-host-setup: an ordinary host into a pool member, and back."""
