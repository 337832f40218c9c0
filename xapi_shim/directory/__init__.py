"""Directories of users and groups: the host's own through PAM and NSS, Active Directory through winbind."""
