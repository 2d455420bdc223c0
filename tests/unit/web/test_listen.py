import errno
import socket

import pytest

from logdrain.errors import PortInUse, UsageError
from logdrain.web.server.server import ALL_INTERFACES, listen


def close(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()


@pytest.mark.parametrize("hosts", [ALL_INTERFACES, ("127.0.0.1", "::1"), ("127.0.0.1",)])
def test_one_port_on_each_host(hosts: tuple[str, ...]) -> None:
    sockets = listen(0, hosts)
    assert [each.getsockname()[0] for each in sockets] == list(hosts)
    [port] = {each.getsockname()[1] for each in sockets}
    for host in ("127.0.0.1", "::1")[: len(hosts)]:
        socket.create_connection((host, port)).close()
    with pytest.raises(PortInUse, match=str(port)):
        listen(port, hosts)
    close(sockets)


def test_a_host_of_another_machine() -> None:
    with pytest.raises(UsageError, match="host 192\\.0\\.2\\.1 cannot be used"):
        listen(0, ["127.0.0.1", "192.0.2.1"])


def test_a_machine_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyIpv4(socket.socket):
        def __init__(self, family: int, kind: int) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "no IPv6")
            super().__init__(family, kind)

    monkeypatch.setattr(socket, "socket", OnlyIpv4)
    sockets = listen(0)
    assert [each.getsockname()[0] for each in sockets] == ["0.0.0.0"]  # noqa: S104  # what was asked for
    close(sockets)
    with pytest.raises(UsageError, match="no IPv6"):
        listen(0, ["::1"])
