"""XenAPI errors: network."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class AddressViolatesLockingConstraintError(XenAPIError):
    code = "ADDRESS_VIOLATES_LOCKING_CONSTRAINT"
    names = ("address",)


class BridgeNameExistsError(XenAPIError):
    """A network with that bridge is known already."""

    code = "BRIDGE_NAME_EXISTS"
    names = ("bridge",)


class BridgeNotAvailableError(XenAPIError):
    code = "BRIDGE_NOT_AVAILABLE"
    names = ("bridge",)


class CannotAddTunnelToBondSlaveError(XenAPIError):
    code = "CANNOT_ADD_TUNNEL_TO_BOND_SLAVE"
    names = ("PIF",)


class CannotAddTunnelToSriovLogicalError(XenAPIError):
    code = "CANNOT_ADD_TUNNEL_TO_SRIOV_LOGICAL"
    names = ("PIF",)


class CannotAddTunnelToVlanOnSriovLogicalError(XenAPIError):
    code = "CANNOT_ADD_TUNNEL_TO_VLAN_ON_SRIOV_LOGICAL"
    names = ("PIF",)


class CannotAddVlanToBondSlaveError(XenAPIError):
    code = "CANNOT_ADD_VLAN_TO_BOND_SLAVE"
    names = ("PIF",)


class CannotPlugBondSlaveError(XenAPIError):
    code = "CANNOT_PLUG_BOND_SLAVE"
    names = ("PIF",)


class CannotPlugVifError(XenAPIError):
    code = "CANNOT_PLUG_VIF"
    names = ("VIF",)


class CouldNotFindNetworkInterfaceWithSpecifiedDeviceNameAndMacAddressError(XenAPIError):
    code = "COULD_NOT_FIND_NETWORK_INTERFACE_WITH_SPECIFIED_DEVICE_NAME_AND_MAC_ADDRESS"
    names = ("device", "mac")


class DuplicateMacSeedError(XenAPIError):
    code = "DUPLICATE_MAC_SEED"
    names = ("seed",)


class DuplicatePifDeviceNameError(XenAPIError):
    code = "DUPLICATE_PIF_DEVICE_NAME"
    names = ("device",)


class IncompatiblePifPropertiesError(XenAPIError):
    code = "INCOMPATIBLE_PIF_PROPERTIES"


class InterfaceHasNoIpError(XenAPIError):
    code = "INTERFACE_HAS_NO_IP"
    names = ("interface",)


class MacDoesNotExistError(XenAPIError):
    """The host has no interface with that Ethernet address."""

    code = "MAC_DOES_NOT_EXIST"
    names = ("MAC",)


class MacInvalidError(XenAPIError):
    """The Ethernet address is not one."""

    code = "MAC_INVALID"
    names = ("MAC",)


class MacStillExistsError(XenAPIError):
    """An interface with that Ethernet address is known already."""

    code = "MAC_STILL_EXISTS"
    names = ("MAC",)


class NetworkAlreadyConnectedError(XenAPIError):
    """The host is on the network by another interface."""

    code = "NETWORK_ALREADY_CONNECTED"
    names = ("network", "connected PIF")


class NetworkContainsPifError(XenAPIError):
    """Hosts' interfaces are still on the network."""

    code = "NETWORK_CONTAINS_PIF"
    names = ("pifs",)


class NetworkContainsVifError(XenAPIError):
    """Guests' interfaces are still on the network."""

    code = "NETWORK_CONTAINS_VIF"
    names = ("vifs",)


class NetworkHasIncompatibleSriovPifsError(XenAPIError):
    code = "NETWORK_HAS_INCOMPATIBLE_SRIOV_PIFS"
    names = ("PIF", "network")


class NetworkHasIncompatibleVlanOnSriovPifsError(XenAPIError):
    code = "NETWORK_HAS_INCOMPATIBLE_VLAN_ON_SRIOV_PIFS"
    names = ("PIF", "network")


class NetworkIncompatiblePurposesError(XenAPIError):
    code = "NETWORK_INCOMPATIBLE_PURPOSES"
    names = ("new_purpose", "conflicting_purpose")


class NetworkIncompatibleWithBondError(XenAPIError):
    code = "NETWORK_INCOMPATIBLE_WITH_BOND"
    names = ("network",)


class NetworkIncompatibleWithSriovError(XenAPIError):
    code = "NETWORK_INCOMPATIBLE_WITH_SRIOV"
    names = ("network",)


class NetworkIncompatibleWithTrunksError(XenAPIError):
    code = "NETWORK_INCOMPATIBLE_WITH_TRUNKS"
    names = ("network",)


class NetworkIncompatibleWithTunnelError(XenAPIError):
    code = "NETWORK_INCOMPATIBLE_WITH_TUNNEL"
    names = ("network",)


class NetworkIncompatibleWithVlanOnBridgeError(XenAPIError):
    code = "NETWORK_INCOMPATIBLE_WITH_VLAN_ON_BRIDGE"
    names = ("network",)


class NetworkIncompatibleWithVlanOnSriovError(XenAPIError):
    code = "NETWORK_INCOMPATIBLE_WITH_VLAN_ON_SRIOV"
    names = ("network",)


class NetworkSriovAlreadyEnabledError(XenAPIError):
    code = "NETWORK_SRIOV_ALREADY_ENABLED"
    names = ("PIF",)


class NetworkSriovDisableFailedError(XenAPIError):
    code = "NETWORK_SRIOV_DISABLE_FAILED"
    names = ("PIF", "msg")


class NetworkSriovEnableFailedError(XenAPIError):
    code = "NETWORK_SRIOV_ENABLE_FAILED"
    names = ("PIF", "msg")


class NetworkSriovInsufficientCapacityError(XenAPIError):
    code = "NETWORK_SRIOV_INSUFFICIENT_CAPACITY"
    names = ("network",)


class NetworkUnmanagedError(XenAPIError):
    code = "NETWORK_UNMANAGED"
    names = ("network",)


class OpenvswitchNotActiveError(XenAPIError):
    code = "OPENVSWITCH_NOT_ACTIVE"


class PifAllowsUnplugError(XenAPIError):
    code = "PIF_ALLOWS_UNPLUG"
    names = ("PIF",)


class PifAlreadyBondedError(XenAPIError):
    code = "PIF_ALREADY_BONDED"
    names = ("PIF",)


class PifBondMoreThanOneIpError(XenAPIError):
    code = "PIF_BOND_MORE_THAN_ONE_IP"


class PifBondNeedsMoreMembersError(XenAPIError):
    code = "PIF_BOND_NEEDS_MORE_MEMBERS"


class PifCannotBondCrossHostError(XenAPIError):
    code = "PIF_CANNOT_BOND_CROSS_HOST"


class PifConfigurationErrorError(XenAPIError):
    code = "PIF_CONFIGURATION_ERROR"
    names = ("PIF", "msg")


class PifDeviceNotFoundError(XenAPIError):
    """The host has no interface of that name."""

    code = "PIF_DEVICE_NOT_FOUND"


class PifDoesNotAllowUnplugError(XenAPIError):
    """The interface must stay up."""

    code = "PIF_DOES_NOT_ALLOW_UNPLUG"
    names = ("PIF",)


class PifHasFcoeSrInUseError(XenAPIError):
    code = "PIF_HAS_FCOE_SR_IN_USE"
    names = ("PIF", "SR")


class PifHasNoNetworkConfigurationError(XenAPIError):
    code = "PIF_HAS_NO_NETWORK_CONFIGURATION"
    names = ("PIF",)


class PifHasNoV6NetworkConfigurationError(XenAPIError):
    code = "PIF_HAS_NO_V6_NETWORK_CONFIGURATION"
    names = ("PIF",)


class PifIncompatiblePrimaryAddressTypeError(XenAPIError):
    code = "PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE"
    names = ("PIF",)


class PifIsManagementInterfaceError(XenAPIError):
    """The host is managed through the interface."""

    code = "PIF_IS_MANAGEMENT_INTERFACE"
    names = ("PIF",)


class PifIsNotPhysicalError(XenAPIError):
    code = "PIF_IS_NOT_PHYSICAL"
    names = ("PIF",)


class PifIsNotSriovCapableError(XenAPIError):
    code = "PIF_IS_NOT_SRIOV_CAPABLE"
    names = ("PIF",)


class PifIsPhysicalError(XenAPIError):
    """There is hardware behind the interface."""

    code = "PIF_IS_PHYSICAL"
    names = ("PIF",)


class PifIsSriovLogicalError(XenAPIError):
    code = "PIF_IS_SRIOV_LOGICAL"
    names = ("PIF",)


class PifIsVlanError(XenAPIError):
    """The interface is a VLAN."""

    code = "PIF_IS_VLAN"
    names = ("PIF",)


class PifNotAttachedToHostError(XenAPIError):
    code = "PIF_NOT_ATTACHED_TO_HOST"
    names = ("pif", "host")


class PifNotPresentError(XenAPIError):
    code = "PIF_NOT_PRESENT"
    names = ("host", "network")


class PifSriovStillExistsError(XenAPIError):
    code = "PIF_SRIOV_STILL_EXISTS"
    names = ("PIF",)


class PifTunnelStillExistsError(XenAPIError):
    code = "PIF_TUNNEL_STILL_EXISTS"
    names = ("PIF",)


class PifUnmanagedError(XenAPIError):
    """The toolstack does not configure the interface."""

    code = "PIF_UNMANAGED"
    names = ("PIF",)


class PifVlanExistsError(XenAPIError):
    """The VLAN is on the interface already."""

    code = "PIF_VLAN_EXISTS"
    names = ("PIF",)


class PifVlanStillExistsError(XenAPIError):
    code = "PIF_VLAN_STILL_EXISTS"
    names = ("PIF",)


class PvsCacheStorageAlreadyPresentError(XenAPIError):
    code = "PVS_CACHE_STORAGE_ALREADY_PRESENT"
    names = ("site", "host")


class PvsCacheStorageIsInUseError(XenAPIError):
    code = "PVS_CACHE_STORAGE_IS_IN_USE"
    names = ("PVS_cache_storage",)


class PvsProxyAlreadyPresentError(XenAPIError):
    code = "PVS_PROXY_ALREADY_PRESENT"
    names = ("proxies",)


class PvsProxyPresentOnHigherVifDeviceError(XenAPIError):
    code = "PVS_PROXY_PRESENT_ON_HIGHER_VIF_DEVICE"
    names = ("device",)


class PvsServerAddressInUseError(XenAPIError):
    code = "PVS_SERVER_ADDRESS_IN_USE"
    names = ("address",)


class PvsSiteContainsRunningProxiesError(XenAPIError):
    code = "PVS_SITE_CONTAINS_RUNNING_PROXIES"
    names = ("proxies",)


class PvsSiteContainsServersError(XenAPIError):
    code = "PVS_SITE_CONTAINS_SERVERS"
    names = ("servers",)


class PvsVifMustBeFirstDeviceError(XenAPIError):
    code = "PVS_VIF_MUST_BE_FIRST_DEVICE"


class TransportPifNotConfiguredError(XenAPIError):
    code = "TRANSPORT_PIF_NOT_CONFIGURED"
    names = ("PIF",)


class UnimplementedInSmBackendError(XenAPIError):
    code = "UNIMPLEMENTED_IN_SM_BACKEND"
    names = ("message",)


class VifInUseError(XenAPIError):
    code = "VIF_IN_USE"
    names = ("network", "VIF")


class VifNotInMapError(XenAPIError):
    """It was not said where the interface's network goes."""

    code = "VIF_NOT_IN_MAP"
    names = ("vif",)


class VlanInUseError(XenAPIError):
    code = "VLAN_IN_USE"
    names = ("device", "vlan")


class VlanTagInvalidError(XenAPIError):
    """The VLAN tag is not between 0 and 4094."""

    code = "VLAN_TAG_INVALID"
    names = ("VLAN",)
