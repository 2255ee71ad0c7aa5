"""The server's database: who waits for whom."""

from pathlib import Path

from sqlalchemy import text

from ftp_server.database import Database


def test_readers_wait_for_nobody(tmp_path: Path) -> None:
    """While a transaction writes, others read what was committed before it, at once."""
    database = Database(f"sqlite:///{tmp_path / 'server.db'}")
    with database.write() as writing:
        writing.execute(text("INSERT INTO fiduciaries (number, name, created_at) VALUES ('570013', '', 0)"))
        with database.read() as reading:
            assert reading.scalar(text("SELECT count(*) FROM fiduciaries")) == 0
    with database.read() as reading:
        assert reading.scalar(text("SELECT count(*) FROM fiduciaries")) == 1
    database.close()
