"""The daemon's unit file: what systemd brings up with it."""

from kronos_packaging.declarations import REPO

UNIT = REPO / "packaging/systemd/xapi.service"
XEN = {"xenstored.service", "xenconsoled.service", "xen-init-dom0.service"}


def words(name):
    """Return all that the unit's lines `name=` hold (systemd.syntax(7))."""
    lines = [line.partition("=") for line in UNIT.read_text().splitlines()]
    return {word for key, _, value in lines if key == name for word in value.split()}


def test_xens_services_come_with_the_daemon_where_no_preset_enables_them():
    """Packages of Fedora's enable what a preset says (systemd.preset(5)), which for what is unknown says: nothing."""
    assert words("Wants") >= XEN
    assert words("After") >= XEN
