"""Why each message that answers NOT_IMPLEMENTED does: the part of the toolstack that it waits for.

For docs/xenapi-coverage.md; the daemon does without. `reasons` holds the groups to what is bound:
each missing message is in one group, and no other message is in any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MissingError(ValueError):
    """The groups and what is bound disagree."""


@dataclass(frozen=True)
class Waiting:
    """Messages that wait for one part of the toolstack; `names` are a class and its messages a line."""

    part: str
    why: str
    names: str

    def messages(self) -> tuple[str, ...]:
        lines = [line.split() for line in self.names.strip().splitlines()]
        return tuple(f"{cls.rstrip(':')}.{name}" for cls, *names in lines for name in names)


WAITING = (
    Waiting(
        "Network configuration",
        "The daemon reads the host's network, and makes bridges for guests alone; nothing sets up interfaces,"
        " bonds, VLANs, tunnels, SR-IOV or the management address, nor filters or tags a guest's packets.",
        """
        Bond: create destroy set_mode set_property
        PIF: create_VLAN destroy forget introduce plug reconfigure_ip reconfigure_ipv6
        PIF: set_primary_address_type set_property unplug
        VIF: add_trunks remove_trunks set_trunks
        VLAN: create destroy
        host: local_management_reconfigure management_disable management_reconfigure reset_networking
        host: signal_networking_change sync_pif_currently_attached sync_tunnels sync_vlans
        host: update_firewalld_service_status
        network_sriov: create destroy get_remaining_capacity
        pool: create_VLAN create_VLAN_from_PIF management_reconfigure set_igmp_snooping_enabled
        tunnel: create destroy
        """,
    ),
    Waiting(
        "Open vSwitch's controllers",
        "Guests' networks are Linux's bridges, which follow no controller.",
        """
        SDN_controller: forget introduce
        pool: set_vswitch_controller
        """,
    ),
    Waiting(
        "Storage drivers",
        "The file driver makes, resizes and removes disks; copies, clones, changed blocks, network block devices,"
        " probing answered as records and a disk that stops under a guest are what further drivers and formats bring.",
        """
        SR: probe_ext
        VBD: pause unpause
        VDI: checksum clone copy data_destroy disable_cbt enable_cbt force_unlock generate_config get_nbd_info
        VDI: list_changed_blocks resize_online
        VM: copy
        host: attach_static_vdis detach_static_vdis get_sm_diagnostics sm_dp_destroy
        """,
    ),
    Waiting(
        "Snapshots",
        "They are taken by storage drivers that can, of all of a VM's disks at one moment.",
        """
        VDI: revert snapshot
        VM: checkpoint revert snapshot
        VMSS: snapshot_now
        """,
    ),
    Waiting(
        "Suspending and migration",
        "No guest's memory is saved to a disk or sent to another host yet.",
        """
        VDI: pool_migrate
        VM: assert_can_migrate assert_can_migrate_sender csvm migrate_send pool_migrate pool_migrate_complete
        VM: resume resume_on set_suspend_VDI suspend
        host: evacuate migrate_receive
        """,
    ),
    Waiting(
        "Import and export",
        "VMs are not read from, or written to, files and other hosts yet.",
        """
        VM: import import_convert
        """,
    ),
    Waiting(
        "Pools of several hosts",
        "Hosts join, leave and run guests for their master. A member keeps no copy of the database of its own, so that"
        " none can take the master's place, and none is told of another's files or of another secret.",
        """
        VGPU: atomic_set_resident_on
        VM: atomic_set_resident_on
        host: abort_new_master allocate_resources_for_vm cert_distrib_atom cleanup_pool_secret commit_new_master
        host: copy_primary_host_certs notify notify_accept_new_pool_secret notify_send_new_pool_secret
        host: propose_new_master request_backup request_config_file_sync set_localdb_key tickle_heartbeat
        host: update_master update_pool_secret
        pool: designate_new_master emergency_reset_master emergency_transition_to_master
        pool: exchange_ca_certificates_on_join exchange_certificates_on_join exchange_crls_on_join
        pool: exchange_trusted_certificates_on_join hello
        pool: sync_trusted_certificates_from
        """,
    ),
    Waiting(
        "High availability and clustering",
        "There is no heartbeat, no fencing and no cluster stack.",
        """
        Cluster: create cstack_sync destroy pool_create pool_destroy pool_force_destroy pool_resync
        Cluster_host: create destroy disable enable force_destroy forget
        host: emergency_ha_disable ha_disable_failover_decisions ha_disarm_fencing ha_join_liveset
        host: ha_release_resources ha_stop_daemon ha_wait_for_shutdown_via_statefile preconfigure_ha
        pool: enable_ha
        """,
    ),
    Waiting(
        "Disaster recovery",
        "The database is not kept on shared disks, from which another pool could read it.",
        """
        DR_task: create destroy
        SR: disable_database_replication enable_database_replication
        VDI: open_database read_database_pool_uuid
        VM: recover
        VM_appliance: recover
        pool: disable_redo_log enable_redo_log
        """,
    ),
    Waiting(
        "Workload balancing",
        "There is no service to ask for advice.",
        """
        pool: initialize_wlb
        """,
    ),
    Waiting(
        "Metrics",
        "Nothing is measured over time yet: no data sources, no round robin databases and no copies of them.",
        """
        SR: forget_data_source_archives get_data_sources query_data_source record_data_source
        VM: forget_data_source_archives get_data_sources query_data_source record_data_source
        host: backup_rrds disable_binary_storage enable_binary_storage forget_data_source_archives
        host: get_data_sources query_data_source record_data_source
        pool: disable_binary_storage enable_binary_storage
        """,
    ),
    Waiting(
        "Updates",
        "Repositories are records: hosts are updated by their distribution's own tools, and no patches are kept.",
        """
        Repository: apply apply_livepatch
        host: apply_updates
        host_patch: apply destroy
        pool: check_update_readiness set_update_sync_enabled sync_updates
        pool_patch: apply clean clean_on_host destroy pool_apply pool_clean precheck
        pool_update: apply attach destroy detach introduce pool_apply pool_clean precheck resync_host
        """,
    ),
    Waiting(
        "Guests with firmware",
        "HVM guests, and so UEFI, its variables, Secure Boot's keys and sleep, are not started yet.",
        """
        VM: s3_resume s3_suspend set_shadow_multiplier_live set_uefi_mode sysprep
        VM: update_secureboot_certificates_on_boot
        host: set_uefi_certificates write_uefi_certificates_to_disk
        pool: set_custom_uefi_certificates set_uefi_certificates
        """,
    ),
    Waiting(
        "Hardware for guests",
        "PCI devices, graphics cards and the host's own display are not taken from dom0.",
        """
        PCI: disable_dom0_access enable_dom0_access get_dom0_access_status
        PGPU: disable_dom0_access enable_dom0_access
        host: disable_display enable_display mxgpu_vf_setup nvidia_vf_setup
        """,
    ),
    Waiting(
        "Several versions of a driver",
        "Distributions have one version of each of the kernel's drivers, and no tool to choose.",
        """
        Driver_variant: select
        Host_driver: deselect rescan select
        host: rescan_drivers
        """,
    ),
    Waiting(
        "Driver domains",
        "No guest serves others: there are no services of one to ask for.",
        """
        VM: query_services
        """,
    ),
    Waiting(
        "Reports of faults",
        "No program gathers a host's logs and state into one file, and none is sent anywhere.",
        """
        host: bugreport_upload get_system_status_capabilities
        host_crashdump: upload
        """,
    ),
)


def reasons(missing: Iterable[str]) -> dict[str, Waiting]:
    """Return what each missing message waits for. Raises MissingError naming those in no group, in two, or served."""
    found: dict[str, Waiting] = {}
    wrong: list[str] = []
    for group in WAITING:
        for name in group.messages():
            if name in found:
                wrong.append(f"{name} waits for two parts")
            found[name] = group
    lacking = set(missing)
    wrong += [f"{name} waits for nothing" for name in sorted(lacking - found.keys())]
    wrong += [
        f"{name} waits for {found[name].part}, and is served" for name in sorted(found.keys() - lacking)
    ]
    if wrong:
        raise MissingError("; ".join(wrong))
    return found
