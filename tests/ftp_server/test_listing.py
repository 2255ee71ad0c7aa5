"""How folders are listed."""

import time
from pathlib import Path
from typing import Any

from ftp_server.account import usual_account
from ftp_server.collect_view import CollectView
from ftp_server.folders import Folders
from ftp_server.listing import Entry, blocks, fact_line, long_line, stamp
from transfer.accounts import AccountName

UNUSED: Any = None


def test_a_document_collected_while_its_folder_is_listed_is_left_out(tmp_path: Path) -> None:
    """A listing goes on without the documents that another session removes meanwhile."""
    folders = Folders.of(tmp_path, "570013")
    for n in range(20):
        (folders.files / f"{n}.pdf").touch()
    account = usual_account(AccountName.parse("READ_570013"), 0.0)
    entries = CollectView(account, folders, UNUSED, time.time).entries("")
    first = next(entries)
    for path in folders.files.iterdir():
        path.unlink()
    assert list(entries) == []
    assert first.name.endswith(".pdf")


def test_lines_say_when_a_file_was_changed() -> None:
    """Times are told in UTC to the second in facts, and as ls does in long lines: the year when it is long ago."""
    changed = 1_700_000_000.9  # 14 November 2023, 22:13:20 UTC
    entry = Entry("scan.pdf", False, 5, changed, may="rd")
    assert stamp(changed) == "20231114221320"
    assert fact_line(entry) == "type=file;perm=rd;modify=20231114221320;size=5; scan.pdf"
    assert long_line(entry, changed).endswith("           5 Nov 14 22:13 scan.pdf")
    assert long_line(entry, changed + 181 * 86_400).endswith("           5 Nov 14  2023 scan.pdf")
    assert fact_line(Entry("000204", True, 0, changed, may="el")) == "type=dir;perm=el;modify=20231114221320; 000204"


def test_blocks_hold_every_line_once() -> None:
    """Lines come in their order, each with its end, in blocks worth sending."""
    sent = list(blocks(str(n) for n in range(2500)))
    assert b"".join(sent) == b"".join(b"%d\r\n" % n for n in range(2500))
    assert len(sent) == 3
    assert list(blocks([])) == []
