"""What the set-up changes in the host's firewall: pure edits of the files that a boot loads."""
