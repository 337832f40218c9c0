"""What programs in /etc/xapi.d/plugins import: this folder is in their PYTHONPATH."""
