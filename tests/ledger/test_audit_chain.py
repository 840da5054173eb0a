from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.audit_chain import Head, canonical_json, check
from tests.ledger import chains
from tests.ledger.chains import CHAINS, Rows, Tampered, head_of, strangers_verdict, tampered


@settings(deadline=None)
@given(CHAINS, st.data())
def test_a_chain_that_nobody_touched_fits_every_head_of_it(rows: Rows, data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(rows)))
    heads = [Head(seq=row["seq"], digest=row["digest"]) for row in some]
    verdict = check(rows, [*heads, head_of(rows)])
    assert (verdict.ok, verdict.entries) == (True, len(rows))


@settings(deadline=None, max_examples=400)
@given(tampered())
def test_one_tampering_is_named_at_its_entry(made: Tampered) -> None:
    verdict = check(made.rows, [made.head])
    assert verdict.first_bad == made.first_bad, (made.what, verdict.why)


@settings(deadline=None, max_examples=60)
@given(made=tampered())
def test_a_stranger_names_the_same_entry(
    tmp_path_factory: pytest.TempPathFactory, made: Tampered
) -> None:
    export = chains.write(made.rows, tmp_path_factory.mktemp("export") / "trail.jsonl")
    code, bad, said = strangers_verdict(export, made.head)
    assert (code, bad) == (1, made.first_bad), (made.what, said)


@settings(deadline=None, max_examples=20)
@given(rows=CHAINS)
def test_a_stranger_finds_a_good_chain_good(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows
) -> None:
    export = chains.write(rows, tmp_path_factory.mktemp("export") / "trail.jsonl")
    assert strangers_verdict(export, head_of(rows)) == (0, None, "all fits\n")


@settings(deadline=None)
@given(CHAINS, st.data())
def test_the_earliest_head_that_disagrees_narrows_a_rewritten_history(
    rows: Rows, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    published = data.draw(st.lists(st.sampled_from(rows), min_size=1))
    heads = [Head(seq=row["seq"], digest=row["digest"]) for row in published]
    rewritten, _ = chains.chain_again(data.draw, [dict(row) for row in rows], place)
    later = [head.seq for head in heads if head.seq > place]
    verdict = check(rewritten, heads)
    assert verdict.first_bad == min(later, default=None)
    if later:
        earlier = max((head.seq for head in heads if head.seq <= place), default=0)
        assert f"an entry from {earlier + 1} on" in verdict.why


def test_without_a_head_a_rewritten_history_looks_good() -> None:
    # What docs/audit-format.md says of it: this is what heads are published for.
    rows = chains.chain([{"actor": "a", "details": {}}] * 4)
    bodies = [{"actor": "b", "details": {}}] * 4
    assert check(chains.chain(bodies)).ok
    assert not check(chains.chain(bodies), [head_of(rows)]).ok


def test_canonical_json_is_the_form_of_rfc_8785() -> None:
    row = {"b": [1, True, None], "a": 'é\n"\\\x7f\x1f/', "é": -5}
    assert canonical_json(row) == '{"a":"é\\n\\"\\\\\x7f\\u001f/","b":[1,true,null],"é":-5}'


@pytest.mark.parametrize(
    "text", ["", "5", "5:", "x:" + "0" * 64, "5:" + "0" * 63, "-1:" + "a" * 64]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(CampaignDefinitionError, match="Give SEQ:DIGEST"):
        Head.parse(text)


@pytest.mark.parametrize("line", ["", "{", "[]", "5", '{"seq": true}', '{"seq": 2.0}', "\xff"])
def test_a_stranger_names_a_line_that_is_no_entry(line: str, tmp_path: Path) -> None:
    rows = chains.chain([{"actor": "a", "details": {}}] * 3)
    export = chains.write(rows, tmp_path / "trail.jsonl")
    lines = export.read_text().splitlines()
    export.write_bytes("\n".join([lines[0], line, lines[2]]).encode("latin-1"))
    assert strangers_verdict(export)[:2] == (1, 2)
