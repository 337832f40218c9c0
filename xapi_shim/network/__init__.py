"""What the host's network looks like, and what guests are plugged into."""
