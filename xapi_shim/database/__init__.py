"""The typed object store: in memory, durable in SQLite."""
