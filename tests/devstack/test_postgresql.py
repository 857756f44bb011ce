from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from apps.devstack import postgresql
from apps.devstack.environment import PROJECT
from apps.devstack.errors import DevstackError
from apps.devstack.postgresql import Cluster, database_url, socket_folder
from tests.devstack.processes import processes_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PARENT = """
import signal, sys
from pathlib import Path
from apps.devstack.postgresql import Cluster
cluster = Cluster(Path(sys.argv[1]), durable=False)
cluster.start()
print("up", flush=True)
signal.pause()
"""
# Makes its process root of a namespace in which no further ones can be made: what a container often is.
CONTAINER = """
import ctypes, os, sys
me, (ready, go) = os.getpid(), os.pipe()
helper = os.fork()
if helper == 0:
    os.read(ready, 1)
    for kind in ("uid", "gid"):
        open(f"/proc/{me}/{kind}_map", "w").write("0 0 65536")
    os._exit(0)
ctypes.CDLL(None).unshare(0x10000000)
os.write(go, b"!")
os.waitpid(helper, 0)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("made")
    cluster = Cluster(folder, durable=False)
    cluster.start()
    cluster.stop()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(parent: Path, tmp_path: Path) -> Iterator[Path]:
    """A cluster that is stopped; a copy takes a tenth of what making one takes."""
    folder = Path(shutil.copytree(parent, tmp_path / "pg"))
    yield folder
    shutil.rmtree(folder)


def _parent(folder: Path, *prefix: str, user: int | None = None) -> subprocess.Popen[bytes]:
    command = [*prefix, sys.executable, "-c", PARENT, str(folder)]
    parent = subprocess.Popen(command, cwd=PROJECT, user=user, group=user, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    return parent


class TestCluster:
    def test_keeps_what_was_committed_over_a_restart(self, folder: Path) -> None:
        cluster = Cluster(folder)
        cluster.start()
        with psycopg.connect(cluster.url) as connection:
            connection.execute("CREATE TABLE kept (what text)")
        cluster.stop()
        cluster.start()
        with psycopg.connect(cluster.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        cluster.stop()

    def test_leaves_its_files_to_the_user_who_started_it(self, folder: Path) -> None:
        cluster = Cluster(folder, durable=False)
        cluster.start()
        cluster.stop()
        assert {path.stat().st_uid for path in folder.rglob("*")} == {os.geteuid()}

    def test_has_a_socket_even_where_the_path_is_too_long_for_one(self, folder: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(folder, tmp_path / ("long" * 25)))
        cluster = Cluster(folder, durable=False)
        cluster.start()
        psycopg.connect(cluster.url).close()
        cluster.stop()
        shutil.rmtree(socket_folder(folder))
        shutil.rmtree(folder)

    @pytest.mark.parametrize("name", ["José, Ana", "100% (a#b?c)", "a'b\"c\\d"])
    def test_lies_in_a_folder_of_any_name(self, folder: Path, tmp_path: Path, name: str) -> None:
        odd = Path(shutil.copytree(folder, tmp_path / name))
        cluster = Cluster(odd, durable=False)
        cluster.start()
        psycopg.connect(cluster.url).close()
        cluster.stop()
        for used in {socket_folder(odd), odd}:
            shutil.rmtree(used)

    def test_says_in_one_sentence_why_it_did_not_start(self, folder: Path) -> None:
        first = Cluster(folder, durable=False)
        first.start()
        with pytest.raises(DevstackError, match=r"^Cannot start PostgreSQL: .*another postmaster"):
            Cluster(folder, durable=False).start()
        first.stop()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    def test_does_not_trust_a_socket_folder_of_another_user(self, folder: Path) -> None:
        os.chown(folder, 12345, 12345)
        with pytest.raises(DevstackError, match="belongs to another user"):
            Cluster(folder).start()

    def test_makes_a_new_cluster_where_one_was_left_half_made(self, folder: Path) -> None:
        shutil.rmtree(folder / "data")
        (folder / "data.unfinished").mkdir()
        (folder / "data.unfinished" / "PG_VERSION").write_text("18")
        cluster = Cluster(folder, durable=False)
        cluster.start()
        cluster.stop()
        assert not (folder / "data.unfinished").exists()

    def test_names_the_command_that_installs_it(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgresql, "find_spec", lambda _: None)
        with pytest.raises(DevstackError, match="make install"):
            Cluster(folder).start()

    @pytest.mark.parametrize(
        "sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name
    )
    def test_ends_with_its_parent_clients_or_not(self, folder: Path, sign: signal.Signals) -> None:
        with _parent(folder) as parent, closing(psycopg.connect(database_url(folder))):
            parent.send_signal(sign)
            assert wait_until(lambda: not processes_of(folder))

    @pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root can set this up")
    def test_runs_for_root_where_user_namespaces_are_off(self) -> None:
        # Not pytest's own folder: the user "nobody" may not enter it.
        folder = Path("/tmp") / f"moped-unprivileged-{os.getpid()}"  # noqa: S108
        with _parent(folder, sys.executable, "-c", CONTAINER) as parent:
            assert (folder / "data").stat().st_uid == 65534
            parent.kill()
        assert wait_until(lambda: not processes_of(folder))
        shutil.rmtree(folder)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
    def test_runs_for_an_ordinary_user(self) -> None:
        folder = Path("/tmp") / f"moped-user-{os.getpid()}"  # noqa: S108
        folder.mkdir()
        os.chown(folder, 65534, 65534)
        try:
            parent = _parent(folder, user=65534)
        except PermissionError:
            pytest.skip("Python or this clone lies where an ordinary user may not read")
        with parent:
            parent.kill()
        assert wait_until(lambda: not processes_of(folder))
        shutil.rmtree(folder)
