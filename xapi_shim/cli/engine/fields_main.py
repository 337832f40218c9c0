"""The parameters that xe knows of pools, hosts, VMs and tasks.

The order is that in which they are printed. A name's marks: `=` may be set; `{}` is a map, `{+}`
one whose keys are added and removed, `{=}` one whose keys are set; `[]` is a set, `[+]` one whose
elements are added and removed; `*` may be cleared though not set; `!` costs a call of its own, and is left
out of lists; `~` is deprecated; `-` is shown only when asked for; `^` compares in any letter case.
"""

from __future__ import annotations

FIELDS: dict[str, str] = {
    "task": """
        uuid name-label name-description subtask_of subtasks resident-on status progress type result created
        finished error_info allowed_operations current_operations other-config{+}
    """,
    "pool": """
        uuid name-label= name-description= master default-SR= crash-dump-SR= suspend-image-SR=
        supported-sr-types! other-config{+} allowed-operations[] current-operations[] ha-enabled
        ha-configuration ha-statefiles ha-host-failures-to-tolerate= ha-plan-exists-for ha-allow-overcommit=
        ha-overcommitted ha-reboot-vm-on-internal-shutdown= blobs wlb-url wlb-username wlb-enabled=
        wlb-verify-cert= igmp-snooping-enabled= gui-config{+} health-check-config{+} vswitch-controller-
        restrictions tags[+] license-state ha-cluster-stack guest-agent-config{+} cpu_info{}
        policy-no-vendor-device= live-patching-disabled= uefi-certificates=- custom-uefi-certificates=-
        tls-verification-enabled client-certificate-auth-enabled client-certificate-auth-name repositories[+]=
        repository-proxy-url repository-proxy-username https-only= migration-compression= coordinator-bias=
        telemetry-frequency telemetry-next-collection last-update-sync update-sync-frequency update-sync-day
        update-sync-enabled auto-update-vm-secureboot-certificates= recommendations{} ext-auth-cache-enabled=
        ext-auth-cache-size= ext-auth-cache-expiry= license-server{+} ssh-enabled ssh-enabled-timeout=
        ssh-expiry console-idle-timeout= ssh-auto-mode= limit-console-sessions= vm-console-idle-timeout=
    """,
    "VMSS": """
        uuid name-label= name-description= enabled= type= retained-snapshots= frequency= schedule{+}
        last-run-time VMs[]
    """,
    "console": """
        uuid vm-uuid vm-name-label protocol location other-config{+}
    """,
    "VM": """
        uuid name-label= name-description= user-version= is-a-template= is-default-template= is-a-snapshot
        snapshot-of snapshots snapshot-time transportable-snapshot-id- snapshot-info parent children
        is-control-domain power-state memory-actual memory-target! memory-overhead memory-static-max=
        memory-dynamic-max= memory-dynamic-min= memory-static-min= suspend-VDI-uuid= suspend-SR-uuid=
        VCPUs-params{+} VCPUs-max= VCPUs-at-startup= actions-after-shutdown= actions-after-softreboot=
        actions-after-reboot= actions-after-crash= console-uuids[] hvm nomigrate- nested-virt- platform{+}
        numa-optimised numa-nodes numa-node-memory{} allowed-operations[] current-operations[]
        blocked-operations{+} allowed-VBD-devices[]! allowed-VIF-devices[]! possible-hosts! domain-type=
        current-domain-type HVM-boot-policy= HVM-boot-params{+} HVM-shadow-multiplier= NVRAM{+}- PV-kernel=
        PV-ramdisk= PV-args= PV-legacy-args= PV-bootloader= PV-bootloader-args= last-boot-CPU-flags
        last-boot-record! resident-on affinity= other-config{+} dom-id recommendations xenstore-data{+}*
        ha-always-run=~ ha-restart-priority= blobs start-time install-time VCPUs-number VCPUs-utilisation{}!
        os-version{} netbios-name{} PV-drivers-version{} PV-drivers-up-to-date~ memory{} disks{} VBDs[]
        networks{} services{} PV-drivers-detected other{} live guest-metrics-last-updated can-use-hotplug-vbd
        can-use-hotplug-vif cooperative!~ tags[+] appliance= groups= secureboot-certificates-state
        snapshot-schedule= is-vmss-snapshot start-delay= shutdown-delay= order= version generation-id
        hardware-platform-version has-vendor-device= requires-reboot reference-label bios-strings{}=
        pending-guidances vtpms pending-guidances-recommended pending-guidances-full
    """,
    "host_crashdump": """
        uuid host-uuid timestamp size
    """,
    "host_cpu": """
        uuid host-uuid number vendor speed model family modelname stepping flags utilisation!
    """,
    "host": """
        uuid name-label= name-description= allowed-operations[] current-operations[] enabled display
        API-version-major API-version-minor API-version-vendor API-version-vendor-implementation{} logging{+}
        suspend-image-sr-uuid= crash-dump-sr-uuid= software-version{} capabilities[] other-config{+} cpu_info{}
        chipset-info{} hostname address https-only= supported-bootloaders[] blobs memory-overhead memory-total
        memory-free memory-free-computed! host-metrics-live patches[]~ updates[] ha-statefiles ha-network-peers
        external-auth-type external-auth-service-name external-auth-configuration{} edition license-server{}
        power-on-mode power-on-config{} local-cache-sr tags[+] ssl-legacy= guest_VCPUs_params{+}
        virtual-hardware-platform-versions[] control-domain-uuid resident-vms[] updates-requiring-reboot[]
        features[] iscsi_iqn= multipathing= uefi-certificates=- numa-affinity-policy= pending-guidances
        tls-verification-enabled last-software-update latest-synced-updates-applied
        pending-guidances-recommended pending-guidances-full last-update-hash ssh-enabled ssh-enabled-timeout=
        ssh-expiry console-idle-timeout= ssh-auto-mode= max-cstate= secure-boot ntp-mode= ntp-custom-servers[]=
        timezone=
    """,
    "VM_appliance": """
        uuid name-label= name-description= VMs[] allowed-operations[] current-operations[]
    """,
    "VM_group": """
        uuid name-label= name-description= placement vm-uuids[]
    """,
}
