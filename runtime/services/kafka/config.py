"""Configuration of the Kafka service."""

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.instances import Instances
from runtime.services.urls import check_url
from runtime.units import SECOND, Duration


@dataclass(frozen=True, slots=True)
class Config:
    """One of the sections `[[kafka]]` of the configuration file.

    Attributes:
        instances: rules between the sections.
        enabled: enables the service.
        id: name of the cluster, and of this client to it.
        brokers: addresses of brokers, HOST:PORT.
        timeout: time limit of requests to brokers; 0 means 10 s.
        batch_size: accepted without effect: messages are sent at once.
        batch_timeout: accepted without effect.
        use_ssl: encrypts the connections.
        ssl_ca: file of the authorities to trust instead of the system's, in PEM form;
            with use-ssl.
        ssl_cert: file of the client's certificate, in PEM form; with use-ssl.
        ssl_key: file of the private key of that certificate; with use-ssl.
        insecure_skip_verify: accepts any certificate of the brokers.
        sasl_username: user name; empty to connect without logging in.
        sasl_password: password of that user.
        sasl_mechanism: way to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or
            OAUTHBEARER; empty means PLAIN.
        sasl_version: accepted without effect: brokers announce their version.
        sasl_extensions: further values that OAUTHBEARER sends with the token.
        sasl_access_token: token for OAUTHBEARER, in place of a token service.
        sasl_gssapi_service_name: name of the brokers' service for GSSAPI; empty means
            `kafka`.
        sasl_gssapi_auth_type: accepted with KRB5_KEYTAB_AUTH or empty: Kerberos logs in
            with a key tab or with the tickets of the process.
        sasl_gssapi_disable_pafxfast: accepted without effect: Kerberos decides.
        sasl_gssapi_kerberos_config_path: configuration file of Kerberos; the
            environment variable `KRB5_CONFIG` of the server must name it, too.
        sasl_gssapi_key_tab_path: key tab of the client; the environment variable
            `KRB5_CLIENT_KTNAME` of the server must name it, too.
        sasl_gssapi_realm: accepted without effect: the configuration of Kerberos has
            it.
        sasl_oauth_service: token service for OAUTHBEARER: `auth0`, `azuread` or
            `custom`; empty means `custom`.
        sasl_oauth_client_id: ID of the client at the token service.
        sasl_oauth_client_secret: secret of that client.
        sasl_oauth_token_url: URL of the token service, for `auth0` and `custom`.
        sasl_oauth_tenant_id: ID of the tenant, for `azuread`.
        sasl_oauth_scopes: scopes of the token.
        sasl_oauth_parameters: further parameters of the request for a token, such as
            `audience`.
        sasl_oauth_token_expiry_margin: time before the end of a token at which a new
            one is requested.
    """

    instances: ClassVar[Instances] = Instances(
        key="id", option="cluster", title="Kafka", default="none"
    )

    enabled: bool = False
    id: str = "default"
    brokers: tuple[str, ...] = ()
    timeout: Duration = field(default=Duration(0))
    batch_size: int = 0
    batch_timeout: Duration = field(default=Duration(0))
    use_ssl: bool = False
    ssl_ca: str = ""
    ssl_cert: str = ""
    ssl_key: str = ""
    insecure_skip_verify: bool = False
    sasl_username: str = ""
    sasl_password: Secret = NO_SECRET
    sasl_mechanism: str = ""
    sasl_version: int = 1
    sasl_extensions: dict[str, str] = field(
        default_factory=dict, metadata={"formerly": ("sasl_extensions",)}
    )
    sasl_access_token: Secret = NO_SECRET
    sasl_gssapi_service_name: str = ""
    sasl_gssapi_auth_type: str = ""
    sasl_gssapi_disable_pafxfast: bool = False
    sasl_gssapi_kerberos_config_path: str = ""
    sasl_gssapi_key_tab_path: str = ""
    sasl_gssapi_realm: str = ""
    sasl_oauth_service: str = ""
    sasl_oauth_client_id: str = ""
    sasl_oauth_client_secret: Secret = NO_SECRET
    sasl_oauth_token_url: str = ""
    sasl_oauth_tenant_id: str = ""
    sasl_oauth_scopes: tuple[str, ...] = ()
    sasl_oauth_parameters: dict[str, str] = field(default_factory=dict)
    sasl_oauth_token_expiry_margin: Duration = field(default=Duration(10 * SECOND))

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.brokers:
            raise ConfigError(
                "no brokers specified, must provide at least one broker URL"
            )
        if self.sasl_mechanism not in (
            "",
            "PLAIN",
            "SCRAM-SHA-256",
            "SCRAM-SHA-512",
            "GSSAPI",
            "OAUTHBEARER",
        ):
            raise ConfigError(
                f"invalid sasl-mechanism {self.sasl_mechanism}: use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER"
            )
        if self.sasl_version not in (0, 1):
            raise ConfigError("invalid SASL version")
        if self.sasl_gssapi_auth_type not in ("", "KRB5_KEYTAB_AUTH"):
            raise ConfigError(
                f"sasl-gssapi-auth-type {self.sasl_gssapi_auth_type} is not supported: use KRB5_KEYTAB_AUTH"
            )
        check_url(self.sasl_oauth_token_url)
