"""Hypervisor drivers behind one interface: xl and xenstore, and the simulator."""
