from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from served import SERVE

from clio.errors import ReleaseError, SettingsError
from clio.server import bind, serve, url_of


def test_a_taken_port_gives_way_to_the_next() -> None:
    with bind(port=0) as taken:
        port = taken.getsockname()[1]
        with bind(port=port) as other:
            assert other.getsockname()[1] > port


def test_when_all_ports_are_taken_it_says_so() -> None:
    with contextlib.ExitStack() as held:
        first = held.enter_context(bind(port=0)).getsockname()[1]

        def take_the_rest() -> None:
            for _ in range(10):  # others may hold some of the ten already
                held.enter_context(bind(port=first))

        with pytest.raises(SettingsError, match="--port"):
            take_the_rest()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1"):
        bind(host="192.0.2.1", port=0)


def test_urls() -> None:
    with bind(port=0) as listening:
        assert url_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError):
        serve(tmp_path)


def test_it_serves_quietly_until_interrupted(run_directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(run_directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            assert httpx.get(f"{url}api/v1/release", trust_env=False).status_code == 200
            assert httpx.get(f"{url}api/v1/nothing", trust_env=False).status_code == 404
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert out == ""
    assert "INFO" not in err
