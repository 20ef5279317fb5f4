"""Configuration of the Kafka service."""

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.instances import Instances
from runtime.units import Duration


@dataclass(frozen=True, slots=True)
class Config:
    """One of the sections `[[kafka]]` of the configuration file.

    Attributes:
        instances: rules between the sections.
        enabled: enables the service.
        id: name of the cluster, and of this client to it.
        brokers: addresses of brokers, HOST:PORT.
        timeout: time limit of requests to brokers; 0 means 10 s.
        batch_size: accepted, and not used: a message is sent when it is there.
        batch_timeout: accepted, and not used.
        use_ssl: encrypts the connections.
        ssl_ca: file of the authorities to trust instead of the system's, in PEM form;
            with use-ssl.
        ssl_cert: file of the client's certificate, in PEM form; with use-ssl.
        ssl_key: file of the private key of that certificate; with use-ssl.
        insecure_skip_verify: accepts any certificate of the brokers.
        sasl_username: user name; empty to connect without logging in.
        sasl_password: password of that user.
        sasl_mechanism: way to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or
            OAUTHBEARER; empty means PLAIN.
        sasl_version: accepted, and not used: brokers say which version they speak.
        sasl_access_token: token for OAUTHBEARER.
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
    sasl_access_token: Secret = NO_SECRET

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
            "OAUTHBEARER",
        ):
            raise ConfigError(
                f"invalid sasl-mechanism {self.sasl_mechanism}: use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"
            )
        if self.sasl_version not in (0, 1):
            raise ConfigError("invalid SASL version")
