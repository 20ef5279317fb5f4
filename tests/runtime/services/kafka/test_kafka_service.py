"""Tests of the Kafka service without its hook."""

from dataclasses import replace

import pytest

from runtime.alert.templates import NO_TEMPLATE, Template
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.outbound.connection import Certificates
from runtime.secrets import Secret
from runtime.services.kafka.config import Config
from runtime.services.kafka.handler import HandlerConfig
from runtime.services.kafka.service import Service
from runtime.testing.events import Variant, changed_event, sample_event
from runtime.testing.handlers import (
    certificates_of,
    deliver,
    options_from_http,
    options_from_script,
    requests_of_all_levels,
    requests_of_variants,
    run_service_test,
    service_test,
    settings_from_file,
)
from runtime.testing.hooks import RecordingHook
from runtime.testing.snapshots import TextSnapshot
from runtime.units import MINUTE, SECOND, Duration

OPTIONS = HandlerConfig(cluster="default", topic="explicit-topic")


@pytest.fixture
def server(monkeypatch):
    hook = RecordingHook()
    monkeypatch.setattr(Service, "hook", lambda self: hook)
    return hook


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        brokers=("127.0.0.1:9092",),
        timeout=Duration(MINUTE),
        batch_size=7,
        batch_timeout=Duration(MINUTE),
        insecure_skip_verify=True,
        sasl_username="configured-sasl-username",
        sasl_password=Secret("configured-sasl-password"),
        sasl_mechanism="SCRAM-SHA-512",
        sasl_extensions={"key": "configured-value"},
        sasl_access_token=Secret("configured-sasl-access-token"),
        sasl_gssapi_service_name="configured-sasl-gssapi-service-name",
        sasl_gssapi_auth_type="KRB5_KEYTAB_AUTH",
        sasl_gssapi_disable_pafxfast=True,
        sasl_gssapi_kerberos_config_path="configured-sasl-gssapi-kerberos-config-path",
        sasl_gssapi_key_tab_path="configured-sasl-gssapi-key-tab-path",
        sasl_gssapi_realm="configured-sasl-gssapi-realm",
        sasl_oauth_service="configured-sasl-oauth-service",
        sasl_oauth_client_id="configured-sasl-oauth-client-id",
        sasl_oauth_client_secret=Secret("configured-sasl-oauth-client-secret"),
        sasl_oauth_token_url="configured-sasl-oauth-token-url",
        sasl_oauth_tenant_id="configured-sasl-oauth-tenant-id",
        sasl_oauth_scopes=("configured-a", "configured-b"),
        sasl_oauth_parameters={"key": "configured-value"},
        sasl_oauth_token_expiry_margin=Duration(MINUTE),
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        id="default",
        brokers=(),
        timeout=Duration(0),
        batch_size=0,
        batch_timeout=Duration(0),
        use_ssl=False,
        ssl_ca="",
        ssl_cert="",
        ssl_key="",
        insecure_skip_verify=False,
        sasl_username="",
        sasl_password=Secret(""),
        sasl_mechanism="",
        sasl_version=1,
        sasl_extensions={},
        sasl_access_token=Secret(""),
        sasl_gssapi_service_name="",
        sasl_gssapi_auth_type="",
        sasl_gssapi_disable_pafxfast=False,
        sasl_gssapi_kerberos_config_path="",
        sasl_gssapi_key_tab_path="",
        sasl_gssapi_realm="",
        sasl_oauth_service="",
        sasl_oauth_client_id="",
        sasl_oauth_client_secret=Secret(""),
        sasl_oauth_token_url="",
        sasl_oauth_tenant_id="",
        sasl_oauth_scopes=(),
        sasl_oauth_parameters={},
        sasl_oauth_token_expiry_margin=Duration(10 * SECOND),
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server, options=OPTIONS)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(usual, options=HandlerConfig(cluster="default", topic="")),
        Variant(
            usual,
            options=HandlerConfig(
                cluster="default",
                topic="explicit-topic",
                partitionalgorithm="explicit-partitionalgorithm",
            ),
        ),
        Variant(
            usual,
            options=HandlerConfig(
                cluster="default",
                topic="explicit-topic",
                template=Template("explicit-template {{ .ID }}"),
            ),
        ),
        Variant(
            usual,
            options=HandlerConfig(
                cluster="default", topic="explicit-topic", disablepartitionbyid=True
            ),
        ),
        Variant(
            usual,
            options=HandlerConfig(
                cluster="default", topic="explicit-topic", partitionalgorithm="murmur2"
            ),
        ),
        Variant(
            usual,
            options=HandlerConfig(
                cluster="default", topic="explicit-topic", partitionalgorithm="murmur3"
            ),
        ),
        Variant(
            usual,
            options=HandlerConfig(
                cluster="default", topic="explicit-topic", partitionalgorithm="fnv-1a"
            ),
        ),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False), options=OPTIONS)
    assert server.received.empty()


def test_brokers_is_required(server):
    invalid = replace(config(server), brokers=())
    expected = "no brokers specified, must provide at least one broker URL"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_sasl_mechanism_is_checked(server):
    invalid = replace(config(server), sasl_mechanism="aa")
    expected = "invalid sasl-mechanism aa: use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected
    replace(config(server), sasl_mechanism="").validate()
    replace(config(server), sasl_mechanism="PLAIN").validate()
    replace(config(server), sasl_mechanism="SCRAM-SHA-256").validate()
    replace(config(server), sasl_mechanism="SCRAM-SHA-512").validate()
    replace(config(server), sasl_mechanism="GSSAPI").validate()
    replace(config(server), sasl_mechanism="OAUTHBEARER").validate()


def test_sasl_version_is_checked(server):
    invalid = replace(config(server), sasl_version=-1)
    expected = "invalid SASL version"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected
    replace(config(server), sasl_version=0).validate()
    replace(config(server), sasl_version=1).validate()


def test_sasl_gssapi_auth_type_is_checked(server):
    invalid = replace(config(server), sasl_gssapi_auth_type="aa")
    expected = "sasl-gssapi-auth-type aa is not supported: use KRB5_KEYTAB_AUTH"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected
    replace(config(server), sasl_gssapi_auth_type="").validate()
    replace(config(server), sasl_gssapi_auth_type="KRB5_KEYTAB_AUTH").validate()


def test_handlers_choose_a_section(server):
    usual = config(server)
    other = replace(usual, id="other")
    chosen = HandlerConfig(cluster="other", topic="explicit-topic")
    deliver(Service, other, chosen)
    deliver(Service, (usual, other), chosen)
    assert server.next() == server.next()
    assert server.opened == [other, other]
    missing = HandlerConfig(cluster="missing", topic="explicit-topic")
    expected = 'unknown cluster "missing"'
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, (usual, other), missing)
    assert str(caught.value) == expected
    assert caught.value.retry


def test_sections_are_told_apart(server):
    usual = config(server)
    other = replace(usual, id="other")
    Config.instances.validate([usual, other])
    with pytest.raises(ConfigError, match="is not unique"):
        Config.instances.validate([usual, other, other])
    with pytest.raises(ConfigError, match="id must not be empty"):
        Config.instances.validate([usual, replace(other, id="")])


def test_certificates(server):
    configured = replace(
        config(server),
        use_ssl=True,
        ssl_ca="missing/ssl-ca.pem",
        ssl_cert="missing/ssl-cert.pem",
        ssl_key="missing/ssl-key.pem",
    )
    files = Certificates(
        ca="missing/ssl-ca.pem",
        certificate="missing/ssl-cert.pem",
        key="missing/ssl-key.pem",
    )
    assert certificates_of(Service, configured) == files
    with pytest.raises(ConfigError, match="no such file or directory"):
        deliver(Service, configured)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".kafka().cluster('default').kafkaTopic('explicit-topic').template('explicit-template {{ .ID }}').disablePartitionById().partitionHashAlgorithm('murmur2')"
    expected = HandlerConfig(
        cluster="default",
        topic="explicit-topic",
        template=Template("explicit-template {{ .ID }}"),
        disablepartitionbyid=True,
        partitionalgorithm="murmur2",
    )
    assert options_from_script("kafka", config(server), script) == [expected]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("kafka", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cluster", 5),
        ("topic", 5),
        ("template", 5),
        ("disablepartitionbyid", "x"),
        ("partitionalgorithm", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("kafka", config(server), {key: value})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            'sasl_extensions = { key = "explicit-value" }',
            'sasl-extensions = { key = "explicit-value" }',
        ),
    ],
)
def test_a_former_name_of_a_setting(old, new):
    assert settings_from_file(Config(), old) == settings_from_file(Config(), new)
    with pytest.raises(ConfigError, match="is the former name of"):
        settings_from_file(Config(), f"{old}\n{new}")


@pytest.mark.parametrize("key", ["template"])
def test_a_bad_template_is_refused(server, key):
    with pytest.raises(OptionsError, match=f"template: {key}:1: "):
        options_from_http("kafka", config(server), {key: "{{"})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(config(server), id="default")
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is CRITICAL",
            "details": "the details",
            "level": "CRITICAL",
            "time": 31536010000000000,
            "name": "cpu",
            "task": "TestStream_Alert",
            "group": "host=serverA",
            "tags": {"host": "serverA"},
            "fields": {"count": 10},
        },
    )
    options = HandlerConfig(
        cluster="default",
        topic="testTopic",
        template=Template("{{.Message}}"),
        disablepartitionbyid=False,
        partitionalgorithm="",
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "topic": "testTopic",
        "key": "kapacitor/cpu/serverA",
        "value": "kapacitor/cpu/serverA is CRITICAL",
        "hash": "crc32",
    }


def test_example_2_kapacitor_server_2(server):
    configured = replace(config(server), id="default")
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "CRITICAL",
            "time": 0,
            "duration": 0,
            "name": "alert",
            "task": "testAlertHandlers",
            "group": "",
            "tags": {},
            "fields": {"value": 1},
        },
    )
    options = HandlerConfig(
        cluster="default",
        topic="test",
        template=NO_TEMPLATE,
        disablepartitionbyid=False,
        partitionalgorithm="",
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "topic": "test",
        "key": "id",
        "value": '{"id":"id","message":"message","details":"details","time":"1970-01-01T00:00:00Z","duration":0,"level":"CRITICAL","data":{"series":[{"name":"alert","columns":["time","value"],"values":[["1970-01-01T00:00:00Z",1]]}]},"previousLevel":"OK","recoverable":true}\n',
        "hash": "crc32",
    }


def test_example_3_no_topic(server):
    configured = replace(config(server), id="default")
    event = changed_event(sample_event(), {})
    options = HandlerConfig(cluster="default", topic="")
    expected = "topic must not be empty"
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured, options, event=event)
    assert str(caught.value) == expected


def test_example_4_an_unknown_hash(server):
    configured = replace(config(server), id="default")
    event = changed_event(sample_event(), {})
    options = HandlerConfig(cluster="default", topic="t", partitionalgorithm="md5")
    expected = 'invalid partition algorithm: "md5"'
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured, options, event=event)
    assert str(caught.value) == expected
