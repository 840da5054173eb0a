"""Bodies that are no events, nearly events, or events with odd fields, for hypothesis."""

from __future__ import annotations

import json

from hypothesis import strategies as st

AT = "2024-01-15T10:30:45.000Z"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
words = st.one_of(st.text(st.characters(), max_size=300), json_values)
near_events = st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries(
            {"messageId": words, "status": words, "timestamp": words | st.just(AT)}
        )
    },
    optional={"id": words, "type": words | st.just("messaging:messages:updated")},
)
bodies = st.one_of(
    st.binary(max_size=400),
    st.text(st.characters(exclude_categories=["Cs"])).map(str.encode),
    st.one_of(near_events, json_values, st.lists(near_events, max_size=4)).map(
        lambda value: json.dumps(value).encode()
    ),
)
