"""A child for the tests of the supervisor: it plays control or a worker, and misbehaves as it is told.

A file in the directory WEIR_STUB named after the child (control, worker-0) holds one word of advice, read at
each start: `fail`, `die`, `deaf` (is never ready), `stubborn` (never ends) or `lingering` (accepts nobody
from `drain` on, and goes on with what it has). What it hears is appended to the file `story` there.
"""

import argparse
import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("role")
    for word in ("index", "lifeline", "admin"):
        parser.add_argument(f"--{word}", type=int)
    for word in (
        "boot",
        "listen",
        "link",
        "grace",
        "config",
        "source",
        "state",
        "file",
        "workers",
        "log-level",
    ):
        parser.add_argument(f"--{word}")
    return parser.parse_args()


ARGS = arguments()
NAME = ARGS.role if ARGS.index is None else f"{ARGS.role}-{ARGS.index}"
PLACE = Path(os.environ["WEIR_STUB"])


def note(what: str) -> None:
    with (PLACE / "story").open("a") as story:
        story.write(f"{NAME} {os.getpid()} {what}\n")


def listeners() -> list[socket.socket]:
    fds = [ARGS.admin]
    if ARGS.admin is None:
        fds = [each["descriptor"] for each in json.loads(ARGS.listen)]
    return [socket.socket(fileno=fd) for fd in fds]


def answer(listener: socket.socket) -> bool:
    try:
        client, _ = listener.accept()
    except BlockingIOError:
        return False
    with client:
        client.sendall(f"{NAME} {os.getpid()} {ARGS.boot}".encode())
    return True


def obey(word: str, advice: str, listening: list[socket.socket], selector: selectors.BaseSelector) -> None:
    if word == "drain" and advice == "lingering":
        for listener in listening:
            selector.unregister(listener)
            listener.close()
    note(word)
    if word == "drain" and ARGS.role == "worker" and advice not in ("stubborn", "lingering"):
        for listener in listening:
            while answer(listener):
                pass
        sys.exit(0)
    if word == "stop" and advice != "stubborn":
        sys.exit(0)


def start(lifeline: socket.socket, advice: str) -> None:
    if advice == "fail":
        lifeline.sendall(b"failed: the ledger is locked\n")
        sys.exit(1)
    if advice == "die":
        sys.exit(7)
    if advice == "deaf":
        time.sleep(60)
    note("ready")
    lifeline.sendall(b"ready\n")


def main() -> None:
    where = PLACE / NAME
    advice = where.read_text() if where.exists() else ""
    lifeline = socket.socket(fileno=ARGS.lifeline)
    note("begins")
    start(lifeline, advice)
    listening = listeners()
    selector = selectors.DefaultSelector()
    for each in (*listening, lifeline):
        selector.register(each, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not lifeline:
                answer(key.fileobj)
                continue
            words = lifeline.recv(100).decode().split()
            if not words:
                note("orphaned")
                os._exit(3)
            for word in words:
                obey(word, advice, listening, selector)


signal.signal(signal.SIGHUP, signal.SIG_DFL)
main()
