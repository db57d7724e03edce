"""The settings of the libraries that serve partners: tokens (RFC 6749) and the REST API."""

OAUTH2_PROVIDER_APPLICATION_MODEL = "partners.Application"
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 1800,
    # What RFC 9700 forbids is off, also where no URL of ours leads to it today.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "OAUTH2_VALIDATOR_CLASS": "partner_api.oauth.LimitedValidator",
    "CLIENT_SECRET_HASHER": "sha256-high-entropy",
    "SCOPES": {"documents": "Documents of offices that allowed it"},
    "DEFAULT_SCOPES": [],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["client_credentials"],
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["partner_api.hot_path.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["partner_api.negotiation.JsonApiRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "partner_api.negotiation.JsonApiParser",
        "partner_api.negotiation.JsonParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "partner_api.negotiation.AlwaysJson",
    "EXCEPTION_HANDLER": "partner_api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "partner_api.schema.ApiSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CodaBox Connect",
    "VERSION": "1",
    "DESCRIPTION": "Documents of an accounting office's companies, while the office allows it.",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": ["partner_api.schema.complete"],
}
