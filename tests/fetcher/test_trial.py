"""The trial of an FTP server: each step says how it went, nothing stays, and no round takes it for a document."""

import io
from dataclasses import replace

from navette_server import NavetteServer

from fetcher.remote_files import look
from fetcher.trial import STEPS, certificate_of, is_trial, try_server
from transfer.ftp_session import FtpSession


def test_a_server_that_is_well_passes_every_step(navette_server: NavetteServer) -> None:
    """A file goes in as WRITE, and is seen, read and removed as READ; nothing of it stays."""
    read, write = navette_server.connection("READ_570013"), navette_server.connection("WRITE_570013")
    steps = try_server(read, write)
    assert [(step.code, step.tried, step.failure) for step in steps] == [(code, True, None) for code in STEPS]
    assert navette_server.published() == {}


def test_a_wrong_password_stops_at_its_step(navette_server: NavetteServer) -> None:
    """What fails says why, and what rests on it was not tried."""
    read, write = navette_server.connection("READ_570013"), navette_server.connection("WRITE_570013")
    steps = try_server(replace(read, password="wrong"), write)
    assert [step.tried for step in steps] == [True, True, True, False, False, False]
    assert steps[2].failure is not None
    assert steps[2].failure.code == "session.login_refused"


def test_an_unknown_certificate_is_told_by_its_fingerprint(navette_server: NavetteServer) -> None:
    """A self-signed certificate is refused by the trial, and can then be pinned by what it shows."""
    read, write = navette_server.connection("READ_570013"), navette_server.connection("WRITE_570013")
    steps = try_server(replace(read, fingerprint=None), replace(write, fingerprint=None))
    assert steps[0].failure is not None
    assert steps[0].failure.code == "session.certificate_refused"
    assert certificate_of(read) == navette_server.fingerprint
    navette_server.stop()
    assert certificate_of(read) is None


def test_no_round_takes_a_trial_for_a_document(navette_server: NavetteServer) -> None:
    """While the file of a trial lies at the server, a round sees documents only."""
    trial = "/navette-essai-0123456789abcdef.txt"
    with FtpSession(navette_server.connection("WRITE_570013")) as session:
        for path in (trial, "/navette-essai-mine.txt"):
            session.store(io.BytesIO(b"x" * 500), path)
    with FtpSession(navette_server.connection("READ_570013")) as session:
        listed, ready = look(session, lambda _: None, 0)
    assert [file.path for file in listed] == [file.path for file in ready] == ["/navette-essai-mine.txt"]
    assert is_trial(trial)
