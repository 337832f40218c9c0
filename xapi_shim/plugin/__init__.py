"""What programs in /etc/xapi.d/plugins import; on a host it stands beside the distro's modules."""
