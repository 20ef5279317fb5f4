"""A real Kafka broker for tests, if this machine can run one.

Its jars come from the registry that Maven uses here, once, into a folder of the user's cache.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

VERSION = "3.9.1"
_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
    <version>{VERSION}</version>
  </dependency></dependencies>
</project>
"""
_FETCH_S = 600
_START_S = 120
_JAVA = ("java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp")


class Broker(NamedTuple):
    """The addresses of a broker's listeners, by how clients connect."""

    plain: str
    login: str
    encrypted: str


def missing() -> str:
    """Reason why no broker can be started here, or ""; its jars are fetched if needed."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            return f"needs {program}"
    folder = _jars()
    if any(folder.glob(f"kafka_2.13-{VERSION}.jar")):
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    pom = folder / "pom.xml"
    pom.write_text(_POM)
    command = ("mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies")
    try:
        subprocess.run(
            (*command, f"-DoutputDirectory={folder}"),
            check=True,
            capture_output=True,
            timeout=_FETCH_S,
        )
    except (subprocess.SubprocessError, OSError) as error:
        return f"the jars of Kafka cannot be fetched: {type(error).__name__}"
    return ""


@contextlib.contextmanager
def broker(folder: Path, keys: Path) -> Iterator[Broker]:
    """A broker of one node, with three partitions for each topic.

    Args:
        folder: folder of its files.
        keys: a private key and its certificate for 127.0.0.1, in one file.
    """
    ports = _free_ports(4)
    plain, login, encrypted, controller = (f"127.0.0.1:{port}" for port in ports)
    listeners = f"PLAINTEXT://{plain},LOGIN://{login},SSL://{encrypted}"
    settings = folder / "server.properties"
    settings.write_text(f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners={listeners},CONTROLLER://{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT
log.dirs={folder / "logs"}
num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_me="pw";
listener.name.login.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keys}
""")
    path = f"{_jars()}/*"
    identity = "MkU3OEVBNTcwNTJENDM2Qg"
    subprocess.run(
        (
            *(*_JAVA, path, "kafka.tools.StorageTool", "format", "-t", identity),
            *("-c", str(settings)),
            *("--add-scram", "SCRAM-SHA-256=[name=me,password=pw]"),
        ),
        check=True,
        capture_output=True,
        timeout=_START_S,
    )
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            (*_JAVA, path, "kafka.Kafka", str(settings)), stdout=output, stderr=output
        )
    try:
        _wait(process, ports[:3], folder / "output")
        yield Broker(plain, login, encrypted)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def _jars() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "scaffold-alerts" / f"kafka-{VERSION}"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        made = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [each.getsockname()[1] for each in made]


def _wait(process: subprocess.Popen[bytes], ports: list[int], output: Path) -> None:
    """Wait until all listeners answer."""
    end = time.monotonic() + _START_S
    for port in ports:
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None or time.monotonic() > end:
                text = output.read_text(errors="replace")
                raise AssertionError(f"the broker did not start: {text[-3000:]}")
            # there is nothing to wait on: the broker does not report that it is ready
            time.sleep(0.1)
