"""Real machines in QEMU: images, hosts, consoles."""
