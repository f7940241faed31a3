"""Users with cookies against a running proxy; the share of each backend at the end.

    locust -f loadtests/locustfile.py --headless --users 50 --spawn-rate 50 --run-time 30s \\
        --host http://127.0.0.1:8080

The backend is read from a response header: `--backend-header` names one that the services themselves set (the
demo's samples answer with X-Version), or the one that `choice_header` makes weir add. Exit code 1 when an
answer was not expected: a status not in `--expect`, or none at all.
"""

import uuid
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from locust import FastHttpUser, between, events, task
from locust.env import Environment

answered: Counter[str] = Counter()
unexpected: Counter[str] = Counter()


@events.init_command_line_parser.add_listener
def add_options(parser: ArgumentParser) -> None:
    """Options beside locust's own."""
    parser.add_argument("--backend-header", default="X-Version", help="answer's header that names it")
    parser.add_argument("--expect", default="200", help="expected statuses, with commas between them")
    parser.add_argument("--path", default="/", help="what the users ask for")
    parser.add_argument("--cookie", default="customer", help="the cookie that tells users apart")


@events.test_start.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Counts start anew with every test."""
    answered.clear()
    unexpected.clear()


@events.quitting.add_listener
def sum_up(environment: Environment, **_: Any) -> None:
    """Prints the shares; the exit code says whether everything was expected."""
    total = answered.total()
    print(f"\n{total} answers, {unexpected.total()} unexpected")
    for backend, count in answered.most_common():
        print(f"  {backend:<20} {count:>9}  {count / total:.2%}")
    for what, count in unexpected.most_common(20):
        print(f"  unexpected: {count} x {what}")
    environment.process_exit_code = 1 if unexpected or not total else 0


class Customer(FastHttpUser):
    """One user with one cookie, over kept-alive connections."""

    wait_time = between(0.01, 0.05)

    def on_start(self) -> None:
        """A name that nobody else has."""
        options = self.environment.parsed_options
        self._path = options.path
        self._header = options.backend_header
        self._expected = {int(status) for status in options.expect.split(",")}
        self._headers = {"Cookie": f"{options.cookie}={uuid.uuid4().hex}"}

    @task
    def ask(self) -> None:
        """One request."""
        with self.client.get(self._path, headers=self._headers, catch_response=True) as answer:
            if answer.status_code in self._expected:
                # choice_header also tells why: "canary; why=weight".
                backend = (answer.headers.get(self._header) or "").partition(";")[0]
                answered[backend or f"no {self._header}"] += 1
                answer.success()
                return
            what = f"status {answer.status_code}" if answer.status_code else f"{answer.error}"
            answered["unexpected"] += 1
            unexpected[what] += 1
            answer.failure(what)
