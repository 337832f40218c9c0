"""The server: the only room that knows the HTTP library."""
