"""Facts about a host. Each is how to read it and a pure parser of what was read; nothing here changes anything."""
