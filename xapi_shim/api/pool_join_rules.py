def check_join(joiner, host, master, *, address, force): pass
def check_eject(db, host): pass
