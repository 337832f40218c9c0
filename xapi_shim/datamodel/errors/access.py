"""XenAPI errors: access."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class AuthAlreadyEnabledError(XenAPIError):
    code = "AUTH_ALREADY_ENABLED"
    names = ("current auth_type", "current service_name")


class AuthDisableFailedError(XenAPIError):
    code = "AUTH_DISABLE_FAILED"
    names = ("message",)


class AuthDisableFailedPermissionDeniedError(XenAPIError):
    code = "AUTH_DISABLE_FAILED_PERMISSION_DENIED"
    names = ("message",)


class AuthDisableFailedWrongCredentialsError(XenAPIError):
    code = "AUTH_DISABLE_FAILED_WRONG_CREDENTIALS"
    names = ("message",)


class AuthEnableFailedError(XenAPIError):
    code = "AUTH_ENABLE_FAILED"
    names = ("message",)


class AuthEnableFailedDomainLookupFailedError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED"
    names = ("message",)


class AuthEnableFailedInvalidAccountError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_INVALID_ACCOUNT"
    names = ("message",)


class AuthEnableFailedInvalidOuError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_INVALID_OU"
    names = ("message",)


class AuthEnableFailedInvalidTrustedCertsError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS"
    names = ("message",)


class AuthEnableFailedNoSupportEncryptTypeError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_NO_SUPPORT_ENCRYPT_TYPE"


class AuthEnableFailedNoTrustedCertsError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS"
    names = ("message",)


class AuthEnableFailedPermissionDeniedError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_PERMISSION_DENIED"
    names = ("message",)


class AuthEnableFailedUnavailableError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_UNAVAILABLE"
    names = ("message",)


class AuthEnableFailedWrongCredentialsError(XenAPIError):
    code = "AUTH_ENABLE_FAILED_WRONG_CREDENTIALS"
    names = ("message",)


class AuthInvalidTrustedCertsError(XenAPIError):
    code = "AUTH_INVALID_TRUSTED_CERTS"
    names = ("message",)


class AuthIsDisabledError(XenAPIError):
    code = "AUTH_IS_DISABLED"


class AuthNoTrustedCertsError(XenAPIError):
    code = "AUTH_NO_TRUSTED_CERTS"
    names = ("message",)


class AuthServiceErrorError(XenAPIError):
    code = "AUTH_SERVICE_ERROR"
    names = ("message",)


class AuthSetupTlsConnectionError(XenAPIError):
    code = "AUTH_SETUP_TLS_CONNECTION"
    names = ("message",)


class AuthSetLdapsFailedError(XenAPIError):
    code = "AUTH_SET_LDAPS_FAILED"
    names = ("host", "message")


class AuthUnknownTypeError(XenAPIError):
    code = "AUTH_UNKNOWN_TYPE"
    names = ("type",)


class ChangePasswordRejectedError(XenAPIError):
    code = "CHANGE_PASSWORD_REJECTED"
    names = ("msg",)


class EventsLostError(XenAPIError):
    """So much changed that the queue of events ran over."""

    code = "EVENTS_LOST"


class EventFromTokenParseFailureError(XenAPIError):
    """The token is not one that event.from returned."""

    code = "EVENT_FROM_TOKEN_PARSE_FAILURE"
    names = ("token",)


class EventSubscriptionParseFailureError(XenAPIError):
    """What to watch is neither `*`, a class nor class/ref."""

    code = "EVENT_SUBSCRIPTION_PARSE_FAILURE"
    names = ("subscription",)


class PermissionDeniedError(XenAPIError):
    """The caller may not do that."""

    code = "PERMISSION_DENIED"
    names = ("message",)


class RbacPermissionDeniedError(XenAPIError):
    """No role of the caller allows the message."""

    code = "RBAC_PERMISSION_DENIED"
    names = ("permission", "message")


class RoleAlreadyExistsError(XenAPIError):
    code = "ROLE_ALREADY_EXISTS"


class RoleNotFoundError(XenAPIError):
    code = "ROLE_NOT_FOUND"


class SessionAuthenticationFailedError(XenAPIError):
    """The name or the password is wrong."""

    code = "SESSION_AUTHENTICATION_FAILED"


class SessionAuthorizationFailedError(XenAPIError):
    """The user is known but may not come in."""

    code = "SESSION_AUTHORIZATION_FAILED"
    names = ("username", "msg")


class SessionInvalidError(XenAPIError):
    """The session has ended or never was."""

    code = "SESSION_INVALID"
    names = ("handle",)


class SessionNotRegisteredError(XenAPIError):
    """The session queues no events."""

    code = "SESSION_NOT_REGISTERED"
    names = ("handle",)


class SubjectAlreadyExistsError(XenAPIError):
    code = "SUBJECT_ALREADY_EXISTS"


class SubjectCannotBeResolvedError(XenAPIError):
    code = "SUBJECT_CANNOT_BE_RESOLVED"


class TaskCancelledError(XenAPIError):
    """The task was asked to stop, and did."""

    code = "TASK_CANCELLED"
    names = ("task",)


class TooManyPendingTasksError(XenAPIError):
    code = "TOO_MANY_PENDING_TASKS"


class UserIsNotLocalSuperuserError(XenAPIError):
    code = "USER_IS_NOT_LOCAL_SUPERUSER"
    names = ("msg",)
