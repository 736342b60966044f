"""What is set before Prefect and numba are imported."""

import os

import httpx
import pytest

from tasks import environment
from tasks.environment import prepare_environment


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set here is gone after the test."""
    for name in ("no_proxy", "NO_PROXY", "PREFECT_HOME", "NUMBA_CACHE_DIR"):
        monkeypatch.setenv(name, os.environ.get(name, ""))


def test_hosts_that_are_asked_directly_stay_and_this_machine_is_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "lab.org, 10.0.0.1")
    prepare_environment()
    expected = "lab.org,10.0.0.1,127.0.0.1,localhost,::1"
    assert (os.environ["no_proxy"], os.environ["NO_PROXY"]) == (expected, expected)


def test_a_proxy_for_nothing_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    prepare_environment()
    assert os.environ["NO_PROXY"] == "*"


def test_proxies_of_kinds_that_prefects_client_refuses_are_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every verb ended with an error where `all_proxy` named one, which it did not need."""
    for name, proxy in (("all_proxy", "socks4://h:1"), ("HTTP_PROXY", "ftp://me:secret@h:1")):
        monkeypatch.setenv(name, proxy)
    prepare_environment()
    assert not {"all_proxy", "HTTP_PROXY"} & set(os.environ)
    assert "all_proxy names a proxy of the kind socks4" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("proxy", ["proxy.lab.org:3128", "socks5://h:1", "socks5h://h:1", ""])
def test_prefects_client_takes_every_proxy_that_is_left(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.upper(), proxy)
    prepare_environment()
    httpx.Client().close()
    assert os.environ["ALL_PROXY"] == proxy


def test_compiled_code_and_records_go_to_a_temporary_folder_where_no_other_can_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a container with an arbitrary user the program ended when it was imported."""
    monkeypatch.setenv("HOME", "/proc/nobody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(environment, "PROGRAM", environment.Path("/proc/nothing"))
    prepare_environment()
    assert os.access(os.environ["PREFECT_HOME"], os.W_OK)
    assert os.access(os.environ["NUMBA_CACHE_DIR"], os.W_OK)
