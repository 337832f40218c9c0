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
    code = "EVENTS_LOST"


class EventFromTokenParseFailureError(XenAPIError):
    code = "EVENT_FROM_TOKEN_PARSE_FAILURE"
    names = ("token",)


class EventSubscriptionParseFailureError(XenAPIError):
    code = "EVENT_SUBSCRIPTION_PARSE_FAILURE"
    names = ("subscription",)


class PermissionDeniedError(XenAPIError):
    code = "PERMISSION_DENIED"
    names = ("message",)


class RbacPermissionDeniedError(XenAPIError):
    code = "RBAC_PERMISSION_DENIED"
    names = ("permission", "message")


class RoleAlreadyExistsError(XenAPIError):
    code = "ROLE_ALREADY_EXISTS"


class RoleNotFoundError(XenAPIError):
    code = "ROLE_NOT_FOUND"


class SessionAuthenticationFailedError(XenAPIError):
    code = "SESSION_AUTHENTICATION_FAILED"


class SessionAuthorizationFailedError(XenAPIError):
    code = "SESSION_AUTHORIZATION_FAILED"
    names = ("username", "msg")


class SessionInvalidError(XenAPIError):
    code = "SESSION_INVALID"
    names = ("handle",)


class SessionNotRegisteredError(XenAPIError):
    code = "SESSION_NOT_REGISTERED"
    names = ("handle",)


class SubjectAlreadyExistsError(XenAPIError):
    code = "SUBJECT_ALREADY_EXISTS"


class SubjectCannotBeResolvedError(XenAPIError):
    code = "SUBJECT_CANNOT_BE_RESOLVED"


class TaskCancelledError(XenAPIError):
    code = "TASK_CANCELLED"
    names = ("task",)


class TooManyPendingTasksError(XenAPIError):
    code = "TOO_MANY_PENDING_TASKS"


class UserIsNotLocalSuperuserError(XenAPIError):
    code = "USER_IS_NOT_LOCAL_SUPERUSER"
    names = ("msg",)
