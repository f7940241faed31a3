import pytest

from proxy.config import service as sections
from proxy.config.reader import read
from proxy.config.schema import Config
from proxy.rollout.inputs import Release
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import Endpoint, Trust
from proxy.routing.failures import Failures
from proxy.routing.match import Condition, RouteMatch
from proxy.routing.segment import Segment
from proxy.routing.service import Service
from proxy.routing.split import Split
from proxy.routing.sticky import CookieAttributes, Sticky
from proxy.routing.table import Backend, Timeouts
from proxy.settings.plan import plan
from proxy.settings.service import in_force, recalled, release, side, template, trusted

WHOLE = """
timeouts: {connect: 1s, response: 2s, body: 3s, tunnel: 4s}
limits: {body: 1MiB}
services:
  checkout:
    match: {host: shop.example, path: /pay}
    stable: [http://127.0.0.1:9001, http://127.0.0.1:9003]
    canary: {endpoints: [http://127.0.0.1:9002], version: v2}
    weight: 5%
    force: {header: X-Canary}
    sticky: {cookie: weir}
    segments: [{name: staff, to: canary, match: {header: {X-Staff: "1"}}}]
    choice_header: X-Weir
    upgrades: [websocket, x-own]
    analysis: {failures: [503, connect]}
"""

STABLE = Side((Endpoint.parse("http://127.0.0.1:9001"), Endpoint.parse("http://127.0.0.1:9003")))
CANARY = Side((Endpoint.parse("http://127.0.0.1:9002"),), "v2")


def config(text: str) -> Config:
    return read(text, "weir.yaml", {})


def service(keys: str) -> sections.Service:
    return config(
        f"services:\n  checkout: {{stable: http://127.0.0.1:9001{keys and ', ' + keys}}}\n"
    ).services["checkout"]


def parts(text: str) -> Service:
    read_config = config(text)
    return template(
        "checkout", read_config.services["checkout"], read_config.timeouts, read_config.limits.body
    )


def test_everything_in_the_file_reaches_the_workers() -> None:
    made = in_force(
        parts(WHOLE), Rollout(revision=7, weight=500, salt="pepper", stable=STABLE, canary=CANARY)
    )
    assert (made.name, made.revision, made.halted) == ("checkout", 7, frozenset())
    assert made.match == RouteMatch("shop.example", "/pay")
    assert made.backends == (
        Backend("stable", (Endpoint.parse("http://127.0.0.1:9001"), Endpoint.parse("http://127.0.0.1:9003"))),
        Backend("canary", (Endpoint.parse("http://127.0.0.1:9002"),), "v2"),
    )
    assert made.split == Split((("canary", 500),))
    assert made.segments == (Segment("staff", "canary", (Condition("header", "X-Staff", "exact", ("1",)),)),)
    assert made.sticky == Sticky("cookie", "weir", issue=True, salt="pepper")
    assert (made.force, made.choice_header) == ("x-canary", "X-Weir")
    assert made.timeouts == Timeouts(1, 2, 3, 4)
    assert (made.max_body, made.upgrades) == (1 << 20, ("websocket", "x-own"))
    assert made.failures == Failures(frozenset({503}), frozenset({"connect"}))


def test_a_tripped_canary_is_halted() -> None:
    tripped = Rollout(
        revision=8, phase="rolled-back", trip=Trip(5.0, "it fails", None), stable=STABLE, canary=CANARY
    )
    made = in_force(parts(WHOLE), tripped)
    assert made.halted == {"canary"}
    assert made.split.part("canary") == 0


def test_without_a_canary_there_is_nothing_to_split() -> None:
    made = in_force(
        parts("services: {checkout: {stable: http://127.0.0.1:9001}}"), Rollout(revision=1, stable=STABLE)
    )
    assert (made.split, made.halted, len(made.backends)) == (Split(), frozenset(), 1)


@pytest.mark.parametrize(
    ("keys", "sticky"),
    [
        ("", Sticky.off()),
        ("sticky: {cookie: session, issue: false}", Sticky("cookie", "session", issue=False)),
        ("sticky: {header: X-User}", Sticky("header", "X-User")),
        ("sticky: {client_ip: true}", Sticky("client-ip")),
    ],
)
def test_where_users_carry_their_key(keys: str, sticky: Sticky) -> None:
    assert template("checkout", service(keys), config(WHOLE).timeouts, None).sticky == sticky


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("canary: http://127.0.0.1:9002", "canary: http://127.0.0.1:9002, weight: 50%", True),
        ("canary: http://127.0.0.1:9002", "canary: {endpoints: [http://127.0.0.1:9002]}", True),
        ("canary: [http://a, http://b]", "canary: [http://b:80, http://A]", True),
        ("canary: http://127.0.0.1:9002", "canary: http://127.0.0.1:9003", False),
        ("canary: http://127.0.0.1:9002", "canary: {endpoints: http://127.0.0.1:9002, version: v3}", False),
        ("canary: http://127.0.0.1:9002", "", False),
    ],
)
def test_what_makes_a_canary_another_one(one: str, other: str, same: bool) -> None:
    assert (side(service(one).canary).definition == side(service(other).canary).definition) is same


def test_a_release_carries_the_weight_of_the_file() -> None:
    found = service("canary: http://127.0.0.1:9002, weight: 5%")
    assert release(found, "salt") == Release(side(found.stable), side(found.canary), 500, "salt")
    assert release(service(""), "salt").canary == VACANT


@pytest.mark.parametrize(("start", "begins"), [("manual", False), ("on-change", True)])
def test_with_a_rollout_it_begins_at_nothing_and_by_itself_only_when_asked_to(
    start: str, begins: bool
) -> None:
    found = service(f"canary: http://b, rollout: {{start: {start}, steps: [1%, 100%]}}")
    made = release(found, "salt")
    assert made.weight == 0
    assert (made.plan == plan(found)) is begins


TRUSTING = "canary: {endpoints: [https://a, http://b], tls: {ca: /ca.pem, server_name: shop, verify: %s}}"


def test_whom_to_trust_reaches_the_workers_with_the_endpoints_that_speak_tls() -> None:
    made = template("checkout", service(TRUSTING % "true"), config(WHOLE).timeouts, None)
    trust = Trust(ca="/ca.pem", server_name="shop")
    assert made.backends[1].endpoints == (Endpoint.parse("https://a", trust), Endpoint.parse("http://b"))
    assert made.backends[1].endpoints[0].trust == trust


def test_other_trust_is_no_new_release() -> None:
    plain = side(service("canary: [https://a, http://b]").canary).definition
    assert plain == '{"endpoints":["http://b","https://a"],"version":""}'
    assert {side(service(TRUSTING % word).canary).definition for word in ("true", "false")} == {plain}


def test_a_canary_that_is_named_at_runtime_gets_the_segments_that_wait_for_it() -> None:
    text = WHOLE.replace(
        "    canary: {endpoints: [http://127.0.0.1:9002], version: v2}\n    weight: 5%\n", ""
    )
    bare = parts(text + "    rollout: {steps: [100%]}\n")
    assert in_force(bare, Rollout(revision=1, stable=STABLE)).segments == ()
    named = in_force(bare, Rollout(revision=2, stable=STABLE, canary=CANARY))
    assert [segment.to for segment in named.segments] == ["canary"]
    assert named.backends[1].endpoints == CANARY.endpoints


def test_the_ledgers_sides_win_and_the_file_says_whom_to_trust_where_they_agree() -> None:
    made = in_force(parts(WHOLE), Rollout(revision=7, stable=CANARY, canary=VACANT))
    assert [(side.name, side.version) for side in made.backends] == [("stable", "v2")]
    trusting = service(TRUSTING % "true")
    shape = template("checkout", trusting, config(WHOLE).timeouts, None)
    plain = Side((Endpoint.parse("https://a"), Endpoint.parse("http://b")))
    made = in_force(shape, Rollout(revision=7, stable=STABLE, canary=plain))
    assert made.backends[1].endpoints[0].trust == Trust(ca="/ca.pem", server_name="shop")


def test_endpoints_named_at_runtime_are_trusted_as_the_files() -> None:
    named = Side((Endpoint.parse("https://c"), Endpoint.parse("http://d")), "v9")
    made = trusted(named, service(TRUSTING % "true"))
    assert [each.trust for each in made.endpoints] == [Trust(ca="/ca.pem", server_name="shop"), Trust()]
    assert made.version == "v9"


def test_a_state_of_an_older_version_is_the_files() -> None:
    found = service("canary: http://127.0.0.1:9002, weight: 5%")
    old = Rollout(revision=3, weight=500, definition=side(found.canary).definition)
    again = recalled(old, found)
    assert (again.stable, again.canary) == (side(found.stable), side(found.canary))
    assert again.stable_definition == side(found.stable).definition
    assert recalled(again, found) is again
    another = recalled(Rollout(revision=3, definition="what it was"), found)
    assert another.canary == VACANT, "the release that follows says so"


def test_a_service_s_own_timeouts_come_before_those_of_all() -> None:
    common = config("timeouts: {connect: 1s, response: 2s, events: 3s}\nservices: {a: {stable: http://a}}")
    found = template("a", service("timeouts: {response: 9s, events: 8s}"), common.timeouts, None).timeouts
    assert found == Timeouts(connect=1, response=9, body=60, tunnel=3600, events=8)


@pytest.mark.parametrize(
    ("host", "sent"),
    [("", ""), ("host: client", ""), ("host: endpoint", "a:81"), ("host: b.example", "b.example")],
)
def test_the_host_that_endpoints_get_goes_with_them(host: str, sent: str) -> None:
    found = service(f"canary: {{endpoints: http://a:81, {host}}}")
    [endpoint] = side(found.canary).endpoints
    assert endpoint.host_sent == sent
    named = Side((Endpoint.parse("http://c:82"),), "v9")
    [other] = trusted(named, found).endpoints
    assert other.host_sent == ("c:82" if host == "host: endpoint" else sent)


def test_attributes_of_the_cookie_reach_the_workers() -> None:
    keys = "sticky: {cookie: w, same_site: none, secure: on, domain: a.example, path: /a, max_age: 60s}"
    made = template("checkout", service(keys), config(WHOLE).timeouts, None).sticky
    assert made.cookie == CookieAttributes("none", "a.example", "/a", 60, secure=True)


def test_a_promoted_canary_of_the_same_url_is_asked_by_its_own_host() -> None:
    text = "services: {a: {stable: {endpoints: http://c, host: a.example}, "
    text += "canary: {endpoints: http://c, host: b.example}}}"
    made = config(text)
    file = made.services["a"]
    found = template("a", file, made.timeouts, None)
    began = in_force(found, Rollout(revision=1, stable=side(file.stable), canary=side(file.canary)))
    assert [one.endpoints[0].host_sent for one in began.backends] == ["a.example", "b.example"]
    promoted = in_force(found, Rollout(revision=2, stable=side(file.canary), canary=VACANT))
    assert [one.endpoints[0].host_sent for one in promoted.backends] == ["b.example"]
