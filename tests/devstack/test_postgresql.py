import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from apps.devstack import postgresql
from apps.devstack.environment import PROJECT
from apps.devstack.errors import DevstackError
from apps.devstack.postgresql import Cluster, database_url, socket_folder
from tests.support.processes import processes_of
from tests.support.waiting import wait_until

PARENT = """
import signal, sys
from pathlib import Path
from apps.devstack.postgresql import Cluster
cluster = Cluster(Path(sys.argv[1]), durable=False)
cluster.start()
print("up", flush=True)
signal.pause()
"""
FOLDER_NAMES = ["José, Ana", "100% (a#b?c)", "a'b\"c\\d", "long" * 25]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a stopped cluster, which all tests use in turn. A first attempt was interrupted."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "data.unfinished").mkdir()
    (folder / "data.unfinished" / "PG_VERSION").write_text("18")
    cluster = Cluster(folder, durable=False)
    cluster.start()
    cluster.stop()
    yield folder
    shutil.rmtree(folder)


def _parent(folder: Path, user: int | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PARENT, str(folder)]
    parent = subprocess.Popen(command, cwd=PROJECT, user=user, group=user, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    return parent


class TestCluster:
    def test_keeps_committed_data_over_a_restart(self, folder: Path) -> None:
        cluster = Cluster(folder)
        cluster.start()
        with psycopg.connect(cluster.url) as connection:
            connection.execute("CREATE TABLE kept (what text)")
        cluster.stop()
        cluster.start()
        with psycopg.connect(cluster.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        with pytest.raises(DevstackError, match=r"^Cannot start PostgreSQL: .*another postmaster"):
            Cluster(folder).start()
        cluster.stop()
        assert not (folder / "data.unfinished").exists()

    @pytest.mark.parametrize("name", FOLDER_NAMES)
    def test_runs_in_a_folder_of_any_name(self, folder: Path, tmp_path: Path, name: str) -> None:
        odd = folder.rename(tmp_path / name)
        try:
            cluster = Cluster(odd, durable=False)
            cluster.start()
            psycopg.connect(cluster.url).close()
            cluster.stop()
        finally:
            odd.rename(folder)
        if socket_folder(odd) != odd:
            shutil.rmtree(socket_folder(odd))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    def test_refuses_a_socket_folder_of_another_user(self, tmp_path: Path) -> None:
        os.chown(tmp_path, 12345, 12345)
        with pytest.raises(DevstackError, match="belongs to another user"):
            Cluster(tmp_path).start()

    def test_names_the_command_that_installs_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgresql, "find_spec", lambda _: None)
        with pytest.raises(DevstackError, match="make install"):
            Cluster(tmp_path).start()

    def test_ends_with_its_parent_in_spite_of_clients(self, folder: Path) -> None:
        with _parent(folder) as parent, closing(psycopg.connect(database_url(folder))):
            parent.kill()
            assert wait_until(lambda: not processes_of(folder))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
    def test_runs_for_an_ordinary_user(self) -> None:
        with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own is root's
            folder = Path(name)
            os.chown(folder, 65534, 65534)
            try:
                parent = _parent(folder, user=65534)
            except PermissionError:
                pytest.skip("Python or this clone lies where an ordinary user may not read")
            with parent:
                parent.kill()
            assert wait_until(lambda: not processes_of(folder))
