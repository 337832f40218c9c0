"""Settings of all suites."""

from hypothesis import settings

# How long an example takes says how busy the machine is; speed is measured by `./inv bench`.
settings.register_profile("kronos", deadline=None)
settings.load_profile("kronos")
