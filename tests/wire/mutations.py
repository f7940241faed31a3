"""Does each rule have a case? Takes rules out of the program one by one, and shows that their cases fail.

    python tests/wire/mutations.py [NUMBER ...]

Each mutation is made in a copy of the source tree, and only its cases run there. First all of them run on
the copy as it is, where none may fail. Exits with 1 when a case fails that shouldn't, or doesn't that should.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("proxy", "tests", "loadtests", "docs", "pyproject.toml")
SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Mutation:
    """One rule taken out: this text of a file in place of that, and the cases that have to fail."""

    rule: str
    file: str
    old: str
    new: str
    cases: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "Transfer-Encoding in HTTP/1.0 is refused",
        "http1/framing.py",
        "    if not minor:\n",
        "    if False:\n",
        ("p02-rfc9112-6.1-te-in-1.0", "p02-rfc9112-6.1-te-in-1.0-kept", "p11-rfc9112-6.1-coding-in-1.0"),
    ),
    Mutation(
        "Transfer-Encoding is exactly chunked",
        "http1/framing.py",
        'if coding.lower() != b"chunked":',
        'if b"chunked" not in coding.lower():',
        ("p02-rfc9112-6.1-te-gzip-chunked", "p02-rfc9112-6.1-te-comma-before"),
    ),
    Mutation(
        "a repeated field that steers is no single one",
        "http1/parser.py",
        'steering[name] + b"," + value if name in steering else value',
        "value",
        ("p04-rfc9112-3.2-two-hosts", "p04-rfc9112-3.2-two-equal-hosts"),
    ),
    Mutation(
        "a port is at most 65535",
        "http1/parser.py",
        " or int(match[3] or 0) > 65_535",
        "",
        ("p04-rfc9110-7.2-port-too-large",),
    ),
    Mutation(
        "a target has no fragment",
        "http1/parser.py",
        '    if b"#" in target:\n        raise',
        "    if False:\n        raise",
        ("p04-rfc9112-3.2-fragment-in-absolute",),
    ),
    Mutation(
        "what Connection nominates goes no further",
        "http1/fields.py",
        "return always | (tokens(connection) - UNSTRIPPED)",
        "return always",
        ("p06-rfc9110-7.6.1-nominated", "p06-rfc9110-7.6.1-answer-nominated"),
    ),
    Mutation(
        "a client's X-Forwarded-For is not believed",
        "http1/fields.py",
        '        b"x-forwarded-for",\n',
        "",
        ("p07-xff-of-a-client-is-dropped",),
    ),
    Mutation(
        "Max-Forwards is counted down",
        "http1/hops.py",
        "(left - 1)",
        "left",
        ("p07-rfc9110-7.6.2-options-1", "p07-rfc9110-7.6.2-trace-7"),
    ),
    Mutation(
        "HTTP/1.0 gets no interim answers",
        "forwarding/crossing.py",
        "        if exchange.head.minor:\n",
        "        if True:\n",
        ("p09-rfc9110-15.2-never-for-1.0",),
    ),
    Mutation(
        "another expectation fails",
        "http1/fields.py",
        'if value.lower() != b"100-continue":',
        "if False:",
        ("p10-rfc9110-10.1.1-unknown", "p10-rfc9110-10.1.1-200-ok"),
    ),
    Mutation(
        "a cut answer ends with a reset",
        "forwarding/connection.py",
        "        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)",
        "        pass",
        ("p11-rfc9112-8-until-close-reset-for-1.0",),
    ),
    Mutation(
        "a connection with surplus bytes is not kept",
        "forwarding/upstream.py",
        "            self._persistent = False\n            data = data[:left]",
        "            data = data[:left]",
        ("p11-rfc9112-9.2-two-answers", "p12-rfc9112-9.2-surplus"),
    ),
    Mutation(
        "nor one with surplus bytes behind chunks",
        "forwarding/upstream.py",
        "self._persistent and not body.rest",
        "self._persistent",
        ("p11-rfc9112-9.2-behind-chunks",),
    ),
    Mutation(
        "bytes on an idle connection remove it",
        "forwarding/upstream.py",
        "the answer to its request.\n            self._leave_pool()",
        "the answer to its request.\n            pass",
        ("p12-rfc9112-9.2-unsolicited-answer", "p12-rfc9112-9.2-unsolicited-byte"),
    ),
    Mutation(
        "a request that was answered early is the last",
        "forwarding/answer_head.py",
        'return exchange.request == "open" or length',
        "return length",
        ("p12-rfc9112-9.3-answered-early", "p10-rfc9110-10.1.1-refused-413"),
    ),
    Mutation(
        "only idempotent requests are sent once more",
        "forwarding/exchange.py",
        " and self.head.method in IDEMPOTENT",
        "",
        ("p13-rfc9110-9.2.2-post-without-a-body", "p13-rfc9110-9.2.2-unknown-method"),
    ),
    Mutation(
        "nothing is sent once more when an answer had begun",
        "forwarding/upstream.py",
        " and not self._buffer",
        "",
        ("p13-rfc9112-9.3.1-after-a-byte", "p13-rfc9112-9.3.1-after-part-of-a-head"),
    ),
    Mutation(
        "the deadline of a head is of the whole head",
        "forwarding/downstream.py",
        'if not block and self._phase != "head" and',
        "if not block and",
        ("p14-header-is-the-whole-head",),
    ),
    Mutation(
        "the number of fields is limited",
        "http1/parser.py",
        "    if fields > limits.fields:\n",
        "    if False:\n",
        ("p15-rfc6585-5-fields", "p15-configured-fields", "p15-answer-fields"),
    ),
    Mutation(
        "the length of a chunk line is limited",
        "http1/framing.py",
        "if len(self._line) > self._limits.line:",
        "if False:",
        ("p15-chunk-line", "p15-chunk-line-without-end"),
    ),
    Mutation(
        "a body is limited as it comes",
        "forwarding/exchange.py",
        "if most is not None and self.received > most:",
        "if False:",
        ("p15-rfc9110-15.5.14-body-one-chunk", "p15-rfc9110-15.5.14-body-many-chunks"),
    ),
    Mutation(
        "who isn't read is asked whether he is still there",
        "forwarding/downstream.py",
        "Peek(self._transport).ended()",
        "False",
        ("p17-rfc9112-8-upload-not-taken",),
    ),
    Mutation(
        "a 101 is for a protocol that was offered",
        "http1/fields.py",
        "return named if asks and offer and named.lower() in tokens(offer) else b",
        "return named or b",
        ("p18-rfc9110-15.2.2-another-protocol", "p11-rfc9110-15.2.2-unasked-101"),
    ),
    Mutation(
        "early bytes behind a refused upgrade are no request",
        "forwarding/answer_head.py",
        " or (exchange.upgrade and side.buffered)",
        "",
        ("p18-rfc9110-7.8-refused-403-with-early-bytes",),
    ),
    Mutation(
        "half of a tunnel may end",
        "forwarding/tunnel.py",
        'if after != "over" and self._client.half_closes and self._endpoint.half_closes:',
        "if False:",
        ("p18-half-close-of-the-client", "p18-half-close-of-the-upstream"),
    ),
    Mutation(
        "who has seen an interim answer is not rescued",
        "forwarding/rescue.py",
        " or exchange.hinted",
        "",
        ("p21-failure-503-behind-an-interim-answer", "p21-failure-reset-behind-an-interim-answer"),
    ),
    Mutation(
        "an endpoint with too many failures in a row is left alone",
        "health/ejection.py",
        "if rule is not None and (record.out or row >= rule.failures):",
        "if False:",
        ("p23-ejected-canary", "p23-ejected-endpoint"),
    ),
    Mutation(
        "an ejected endpoint is tried again",
        "health/ejection.py",
        'if record.state in ("avoided", "ejected") and now >= record.until:',
        "if False:",
        ("p23-ejected-canary", "p23-ejected-endpoint"),
    ),
    Mutation(
        "stable is tried though all its endpoints are ejected",
        "routing/choice.py",
        "balance.pick_or_any(service.in_service[STABLE]",
        "balance.pick(service.in_service[STABLE]",
        ("p23-all-ejected",),
    ),
    Mutation(
        "dead endpoints are out of service",
        "routing/service.py",
        "if not self.dead or (one.endpoint.identity, one.ip) not in self.dead",
        "if True",
        ("p23-dead-canary", "p23-dead-canary-trips", "p23-dead-stable", "p23-fallback"),
    ),
    Mutation(
        "a dead stable falls back on the canary",
        "routing/choice.py",
        "if address is None and service.fallback:",
        "if False:",
        ("p23-fallback", "p23-fallback-forced"),
    ),
    Mutation(
        "a diverted request counts against who was meant",
        "forwarding/accounts.py",
        "        if choice.diverted:\n",
        "        if False:\n",
        ("p23-ejected-canary", "p23-dead-canary", "p23-dead-canary-trips", "p23-fallback"),
    ),
)


def main(numbers: Sequence[int]) -> int:
    """Makes every mutation, or those with these numbers, and prints what became of it."""
    chosen = [(number, each) for number, each in enumerate(MUTATIONS, 1) if not numbers or number in numbers]
    with tempfile.TemporaryDirectory(prefix="mutations-") as place:
        copy(Path(place))
        every = sorted({name for _, mutation in chosen for name in mutation.cases})
        failed, passed = run(Path(place), every)
        print(f"as it is: {passed} passed, {failed} failed")
        wrong = failed + (passed < len(every))
        for number, mutation in chosen:
            failed, passed = mutated(Path(place), mutation)
            caught = failed >= len(mutation.cases) and not passed
            wrong += not caught
            verdict = f"{failed} failed" if caught else f"SURVIVED: {failed} failed, {passed} passed"
            print(f"{number:>2}  {mutation.rule:<55} {mutation.file:<24} {verdict}", flush=True)
    return 1 if wrong else 0


def copy(place: Path) -> None:
    """The source tree, to be spoiled."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / name)


def mutated(place: Path, mutation: Mutation) -> tuple[int, int]:
    """How many of its cases failed and passed under a mutation, which is undone afterwards."""
    path = place / "proxy" / mutation.file
    text = path.read_text()
    count = text.count(mutation.old)
    assert count == 1, f"{mutation.rule}: {mutation.old!r} is {count} times in {mutation.file}, not once"
    path.write_text(text.replace(mutation.old, mutation.new))
    try:
        return run(place, mutation.cases)
    finally:
        path.write_text(text)


def run(place: Path, names: Sequence[str]) -> tuple[int, int]:
    """How many of these cases failed and passed."""
    chosen = " or ".join(f"[{name}]" for name in names)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "tests/wire",
        "-k",
        chosen,
    ]
    done = subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    summary = done.stdout.strip().rpartition("\n")[2]
    found = {word: int(number) for number, word in re.findall(r"(\d+) (failed|passed|error)", summary)}
    assert found, f"pytest says nothing of its cases:\n{done.stdout}{done.stderr}"
    return found.get("failed", 0), found.get("passed", 0)


if __name__ == "__main__":
    sys.exit(main([int(number) for number in sys.argv[1:]]))
