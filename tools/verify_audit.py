"""verify_audit.py FILE.jsonl [MANIFEST.json] [SEQ:DIGEST ...] [--part]; docs/audit-format.md"""

import hashlib
import json
import sys
from pathlib import Path


def digest(entry, **changed):
    body = {name: value for name, value in {**entry, **changed}.items() if name != "digest"}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def entries(path):
    with open(path, "rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
                yield entry if type(entry["seq"]) is int else {"seq": -1}
            except (ValueError, TypeError, KeyError):
                yield {"seq": -1}


def check(rows, heads, part):
    place, last, before, row = 1, "0" * 64, "", next(rows, None)
    while row is not None:
        seq, own, previous = row["seq"], row.get("digest"), row.get("previous_digest")
        following, known = next(rows, None), {one for at, one in heads if at == seq}
        if part and seq > place:  # the entries between were left out
            place, last, before = seq, previous, ""
        fits = own == digest(row)
        if seq != place:
            return (seq if seq < place and fits else place), "is missing, or its number is wrong"
        if not fits:
            put_in = previous == before and own == digest(row, seq=seq - 1)
            return seq - put_in, "was put in" if put_in else "does not fit its digest"
        if previous != last:
            follows = following is not None and following.get("previous_digest") == own
            vouched = follows or (known == {own} if known else following is None)
            return seq - (vouched and seq > 1), "was replaced, or follows another entry"
        if known - {own}:
            return seq, "has not the digest of a known head: it, or one before it, was changed"
        place, last, before, row = seq + 1, own, last, following
    return (place, "is missing") if not part and any(at >= place for at, _ in heads) else (0, "")


def main(path, *others):
    manifests = [json.loads(Path(one).read_bytes()) for one in others if one.endswith(".json")]
    heads = [(int(at), known) for at, _, known in (one.partition(":") for one in others) if known]
    heads += [(one["head"]["seq"], one["head"]["digest"]) for one in manifests]
    part = "--part" in others or not all(one["complete"] for one in manifests)
    sums = {hashlib.sha256(Path(path).read_bytes()).hexdigest()}
    same = {one["sha256"] for one in manifests} <= sums
    bad, why = check(entries(path), heads, part)
    print(f"entry {bad} {why}" if bad else "all fits" if same else "not the manifest's file")
    return int(bool(bad) or not same)


sys.exit(main(*sys.argv[1:]))
