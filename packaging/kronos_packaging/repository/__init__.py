"""Signed apt and yum repositories: what they hold, how they are published, verified, served and sent on.

model        what is published, and by which policy
signer       the keys, and who signed what
read_deb, read_rpm   a package file in, what an index says of it out
catalogue    a cache of that, so that adding one package reads one package
membership   which packages come and which go: pure
apt_suite, yum_repository   the metadata of one repository, written aside
publish      all repositories of a dist folder, in the one order that is safe
verify       a published tree, from its signatures down to every file
upload, serve, client_files   how it reaches hosts, and what they are told
"""
