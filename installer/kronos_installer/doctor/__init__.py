"""`xapi-host-setup doctor`: what a set-up host is assumed to be, checked, each with how to mend it.

An area is a module with a reader, which has the effects, and a pure function from the reading to findings.
"""
