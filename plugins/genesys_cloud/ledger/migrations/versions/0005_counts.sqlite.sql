-- Counts of `messages` for SQLite, kept row by row. An empty line ends a statement.
-- What a worker has in hand counts as planned. Rows are inserted by ledger/planned_rows.py alone,
-- which counts them a batch at a time: a trigger would double what an insert costs.
INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
SELECT occurrence_id, CASE WHEN state IN ('claimed', 'attempting') THEN 'planned' ELSE state END,
  coalesce(reason_code, ''), coalesce(status, ''), 0, count(*)
FROM messages GROUP BY 1, 2, 3, 4;

INSERT INTO sends_per_minute (occurrence_id, minute, state, slot, messages)
SELECT occurrence_id, substr(coalesce(settled_at, attempted_at), 1, 16) || ':00.000000', state, 0,
  count(*)
FROM messages
WHERE state IN ('accepted', 'rejected', 'unknown')
  AND coalesce(settled_at, attempted_at) IS NOT NULL
GROUP BY 1, 2, 3;

CREATE TRIGGER count_deleted AFTER DELETE ON messages
BEGIN
  INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
  VALUES (old.occurrence_id,
    CASE WHEN old.state IN ('claimed', 'attempting') THEN 'planned' ELSE old.state END,
    coalesce(old.reason_code, ''), coalesce(old.status, ''), 0, -1)
  ON CONFLICT (occurrence_id, state, reason_code, status, slot)
  DO UPDATE SET messages = messages - 1;
END;

CREATE TRIGGER count_updated AFTER UPDATE OF state, reason_code, status ON messages
WHEN CASE WHEN old.state IN ('claimed', 'attempting') THEN 'planned' ELSE old.state END
    <> CASE WHEN new.state IN ('claimed', 'attempting') THEN 'planned' ELSE new.state END
  OR old.reason_code IS NOT new.reason_code OR old.status IS NOT new.status
BEGIN
  INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
  VALUES (old.occurrence_id,
    CASE WHEN old.state IN ('claimed', 'attempting') THEN 'planned' ELSE old.state END,
    coalesce(old.reason_code, ''), coalesce(old.status, ''), 0, -1)
  ON CONFLICT (occurrence_id, state, reason_code, status, slot)
  DO UPDATE SET messages = messages - 1;
  INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
  VALUES (new.occurrence_id,
    CASE WHEN new.state IN ('claimed', 'attempting') THEN 'planned' ELSE new.state END,
    coalesce(new.reason_code, ''), coalesce(new.status, ''), 0, 1)
  ON CONFLICT (occurrence_id, state, reason_code, status, slot)
  DO UPDATE SET messages = messages + 1;
END;

CREATE TRIGGER count_settled AFTER UPDATE OF state ON messages
WHEN old.state IN ('planned', 'claimed', 'attempting')
  AND new.state IN ('accepted', 'rejected', 'unknown')
  AND coalesce(new.settled_at, new.attempted_at) IS NOT NULL
BEGIN
  INSERT INTO sends_per_minute (occurrence_id, minute, state, slot, messages)
  VALUES (new.occurrence_id,
    substr(coalesce(new.settled_at, new.attempted_at), 1, 16) || ':00.000000', new.state, 0, 1)
  ON CONFLICT (occurrence_id, minute, state, slot) DO UPDATE SET messages = messages + 1;
END;
