"""The host's own system: its certificates, clock, name, services, power and logs."""
