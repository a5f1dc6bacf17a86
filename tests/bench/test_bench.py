"""The benchmark's own logic: ratios, gates, what is measured, and the chart."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tests.bench.chart import Bar, draw
from tests.bench.family import cpu_seconds, resident_bytes
from tests.bench.lines import Unsound, over, proven
from tests.bench.load import Refused, load
from tests.bench.programs import median_ratio
from tests.bench.rows import ISSUING, ROWS, VERIFYING, Row, allowed, chosen, fallen, find

pytestmark = pytest.mark.sqlite

FASTER = Row("fast", "ours", "theirs", "a/ours", "b/theirs", "at least", 20, 12)
FLOOR = Row("floor", "ours", "the floor", "a/ours", "a/floor", "at most", 2.0, 2.5)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("name", "bound", "target"),
    [
        ("issue-pyld", "at least", 60),
        ("issue-node", "at least", 80),
        ("issue-openbadgeslib", "at least", 100),
        ("issue-floor", "at most", 2.2),
        ("issue-walk", "at least", 25),
        ("verify-pyld", "at least", 18),
        ("verify-node", "at least", 22),
        ("verify-openbadgeslib", "at least", 30),
        ("verify-floor", "at most", 3.2),
        ("http", "at least", 15),
        ("batch", "at least", 1),
        ("status-list", "at least", 80),
        ("index", "at most", 2),
        ("memory", "at most", 1.1),
    ],
)
def test_every_target_that_was_set_has_its_row(name: str, bound: str, target: float) -> None:
    (row,) = [row for row in ROWS if row.name == name]

    assert (row.bound, row.target) == (bound, target)


def test_every_target_has_a_gate_that_it_holds_when_it_is_reached() -> None:
    for row in ROWS:
        assert (row.gate is None) == (row.target is None), row.name
        if row.target is not None:
            assert replace(find(row, {key: [1.0] for key in row.keys}), ratio=row.target).holds
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_what_the_chart_shows_is_in_the_table() -> None:
    measured = {key for row in ROWS for key in row.keys}

    assert {key for _, key in (*ISSUING, *VERIFYING)} <= measured


def test_a_ratio_under_its_gate_is_found_and_named() -> None:
    good = find(FASTER, {"a/ours": [10.0], "b/theirs": [120.0]})
    bad = find(FASTER, {"a/ours": [10.0], "b/theirs": [119.0]})

    assert fallen([good]) == []
    assert fallen([good, bad]) == ["fast: 11.90 x is under its gate of 12 x (ours, against theirs)"]


def test_a_ratio_over_the_gate_of_a_floor_is_found_and_named() -> None:
    good = find(FLOOR, {"a/ours": [25.0], "a/floor": [10.0]})
    bad = find(FLOOR, {"a/ours": [26.0], "a/floor": [10.0]})

    assert fallen([good]) == []
    assert fallen([bad]) == ["floor: 2.60 x is over its gate of 2.5 x (ours, against the floor)"]


def test_a_target_that_is_missed_within_the_gate_is_told_and_does_not_fail() -> None:
    between = find(FASTER, {"a/ours": [10.0], "b/theirs": [150.0]})

    assert between.reaches is False
    assert fallen([between]) == []


def test_a_row_without_a_target_never_fails() -> None:
    row = replace(FASTER, target=None, gate=None)

    found = find(row, {"a/ours": [10.0], "b/theirs": [1.0]})

    assert found.reaches is None
    assert fallen([found]) == []


def test_the_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_the_medians() -> None:
    slow, fast = [30.0, 100.0, 10.0], [1.0, 50.0, 2.0]

    assert median_ratio(slow, fast) == 5.0
    assert find(FASTER, {"a/ours": fast, "b/theirs": slow}).ratio == 5.0
    assert median_ratio([10.0, 20.0, 30.0], [4.0]) == 5.0


def test_a_batch_may_take_as_much_longer_as_signatures_do() -> None:
    at_the_rate = 1_000_000 / 9_000

    assert allowed([1_000_000 / 48_000]) == pytest.approx(at_the_rate)
    assert allowed([2_000_000 / 48_000]) == pytest.approx(2 * at_the_rate)


def test_rows_are_chosen_by_name_or_by_how_their_names_begin() -> None:
    assert [row.name for row in chosen(["index", "verify"], memory=False)] == [
        row.name for row in ROWS if row.name.startswith("verify-") or row.name == "index"
    ]
    assert chosen(["ind"], memory=False) == []


def test_memory_is_measured_when_it_is_asked_for() -> None:
    every = [row.name for row in ROWS]

    assert [row.name for row in chosen(None, memory=False)] == every[:-1]
    assert [row.name for row in chosen(None, memory=True)] == every
    assert [row.name for row in chosen(["memory"], memory=False)] == ["memory"]


def test_a_verifier_that_accepts_what_was_changed_is_not_measured() -> None:
    question = {"signed": ["good"], "tampered": "bad"}

    def strict(text: str) -> None:
        if text == "bad":
            raise ValueError

    assert proven(strict, question) is strict
    with pytest.raises(Unsound):
        proven(len, question)


def test_a_case_takes_its_inputs_in_turn() -> None:
    seen: list[int] = []
    case = over(seen.append, [1, 2, 3])

    for _ in range(4):
        case()

    assert seen == [1, 2, 3, 1]


def test_the_time_and_memory_of_children_count() -> None:
    burn = "import time\nwhile time.process_time() < 0.12: pass\n"
    script = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        f"living = subprocess.Popen([sys.executable, '-c', {burn + 'input()'!r}],"
        " stdin=subprocess.PIPE)\n"
        "import time\n"
        "time.sleep(0.35)\n"
        "print('ready', flush=True)\n"
        "input()\n"
        "living.communicate(b'x')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()

        used, held = cpu_seconds(process.pid), resident_bytes(process.pid)

        process.communicate("x\n")
    assert 0.2 < used < 3
    assert 8_000_000 < held < 200_000_000


@pytest.mark.parametrize("connections", [1, 3])
def test_the_load_is_as_many_requests_as_were_asked_for(connections: int) -> None:
    answered = asyncio.run(_under_load(b"201 Created", connections, requests=20))

    assert answered["requests"] == 20
    assert 0 < answered["middle"] <= answered["slow"]


def test_the_load_fails_if_the_server_refuses() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(_under_load(b"401 Unauthorized", 1, requests=20))

    assert caught.group_contains(Refused)


async def _under_load(status: bytes, connections: int, **until: float) -> dict[str, float]:
    answering: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                assert b"\r\nX-Kind: load\r\n" in head
                assert await reader.readexactly(2) == b"{}"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 4\r\n\r\ndone")
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    order = {
        "port": server.sockets[0].getsockname()[1],
        "path": "/",
        "headers": {"X-Kind": "load"},
        "bodies": ["{}"],
        "connections": connections,
    }
    try:
        return await load(order | until)
    finally:
        server.close()
        await asyncio.gather(*filter(None, answering))


def test_a_faster_implementation_has_the_longer_bar_and_each_its_number() -> None:
    bars = [Bar("kpass_vc", 20_123, is_ours=True), Bar("<theirs> & co", 213, is_ours=False)]

    drawn = ET.fromstring(draw({"Issue": bars}, "a note"))

    widths = [
        float(rect.get("width", 0))
        for rect in drawn.iter(f"{SVG}rect")
        if rect.get("class", "").startswith("bar")
    ]
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[1] > 0
    assert {"Issue", "a note", "kpass_vc", "<theirs> & co", "20,100", "213"} <= set(texts)


def test_bars_of_tenfold_speed_differ_by_the_same_length() -> None:
    bars = [Bar(str(rate), rate, is_ours=False) for rate in (20, 200, 2_000)]

    drawn = ET.fromstring(draw({"Issue": bars}, ""))

    one, two, three = (
        float(rect.get("width", 0))
        for rect in drawn.iter(f"{SVG}rect")
        if rect.get("class") == "bar"
    )
    assert two - one == pytest.approx(three - two, abs=0.2)
