import pytest

from runtime.outbound.addresses import (
    DEFAULT_DENIED,
    DeniedAddressError,
    DeniedNetworks,
)

DENIED = DeniedNetworks.parsed(DEFAULT_DENIED)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0xa9.254.0251.0376",
        "169.254.43518",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fe80::1",
        "fe80::1%1",
        "fd00:ec2::254",
        "100.100.100.200",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "64:ff9b::a83f:8110",
        "2002:a83f:8110::1",
        "2822734096",
        "192.0.0.192",
        "192.0.0.170",
        "::ffff:c000:c0",
        "64:ff9b::c000:c0",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9:fe:a9fe::",
        "2001:db8::5efe:169.254.169.254",
        "2001:db8::200:5efe:169.254.169.254",
        "2001:0:0:0:0:0:5601:5601",
    ],
)
def test_denied_by_default_however_it_is_written(address: str) -> None:
    with pytest.raises(DeniedAddressError, match=r"\[delivery\] denied-networks"):
        DENIED.check(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "192.168.0.1",
        "fd12::1",
        "8.8.8.8",
        "2001:db8::1",
        "168.63.129.17",
        "192.0.1.1",
        "fd00:ec2::1",
        "64:ff9b::808:808",
        "64:ff9b:1::808:808",
    ],
)
def test_allowed_by_default(address: str) -> None:
    DENIED.check(address)


def test_of_several_addresses_the_denied_ones_are_passed_over() -> None:
    assert DENIED.allowed(["fe80::1", "8.8.8.8", "0.0.0.0"]) == ["8.8.8.8"]
    with pytest.raises(DeniedAddressError, match="address fe80::1 is denied"):
        DENIED.allowed(["fe80::1", "0.0.0.0"])
    assert DENIED.allowed([]) == []


def test_an_address_is_a_network_of_one_and_host_bits_do_not_matter() -> None:
    denied = DeniedNetworks.parsed([" 10.1.2.3 ", "192.168.1.7/24"])
    for address in ("10.1.2.3", "192.168.1.200"):
        with pytest.raises(DeniedAddressError):
            denied.check(address)
    denied.check("10.1.2.4")


@pytest.mark.parametrize("text", ["", "nonsense", "10.0.0.0/40", "1.2.3/8"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match=f"^invalid CIDR address: {text}$"):
        DeniedNetworks.parsed([text])
