-- Counts of `messages` for PostgreSQL, kept once a statement for all its rows, each transaction's in
-- rows of its own (`slot`), so that none waits for another: transactions take the audit trail's lock
-- late, and with one row for all they would wait for each other in a circle. An empty line ends a
-- statement. What a worker has in hand counts as planned.
INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
SELECT occurrence_id, CASE WHEN state IN ('claimed', 'attempting') THEN 'planned' ELSE state END,
  coalesce(reason_code, ''), coalesce(status, ''), 0, count(*)
FROM messages GROUP BY 1, 2, 3, 4;

INSERT INTO sends_per_minute (occurrence_id, minute, state, slot, messages)
SELECT occurrence_id, date_trunc('minute', coalesce(settled_at, attempted_at)), state, 0, count(*)
FROM messages
WHERE state IN ('accepted', 'rejected', 'unknown')
  AND coalesce(settled_at, attempted_at) IS NOT NULL
GROUP BY 1, 2, 3;

CREATE FUNCTION count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
  SELECT occurrence_id, CASE WHEN state IN ('claimed', 'attempting') THEN 'planned' ELSE state END,
    coalesce(reason_code, ''), coalesce(status, ''), txid_current(), count(*)
  FROM new_rows GROUP BY 1, 2, 3, 4
  ON CONFLICT (occurrence_id, state, reason_code, status, slot)
  DO UPDATE SET messages = message_counts.messages + excluded.messages;
  RETURN NULL;
END $$;

CREATE TRIGGER count_inserted AFTER INSERT ON messages REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_inserted();

CREATE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
  SELECT occurrence_id, CASE WHEN state IN ('claimed', 'attempting') THEN 'planned' ELSE state END,
    coalesce(reason_code, ''), coalesce(status, ''), txid_current(), -count(*)
  FROM old_rows GROUP BY 1, 2, 3, 4
  ON CONFLICT (occurrence_id, state, reason_code, status, slot)
  DO UPDATE SET messages = message_counts.messages + excluded.messages;
  RETURN NULL;
END $$;

CREATE TRIGGER count_deleted AFTER DELETE ON messages REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_deleted();

CREATE FUNCTION count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
  SELECT occurrence_id, CASE WHEN state IN ('claimed', 'attempting') THEN 'planned' ELSE state END,
    coalesce(reason_code, ''), coalesce(status, ''), txid_current(), sum(n)
  FROM (
    SELECT occurrence_id, state, reason_code, status, -1 AS n FROM old_rows
    UNION ALL
    SELECT occurrence_id, state, reason_code, status, 1 FROM new_rows
  ) AS changes
  GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
  ON CONFLICT (occurrence_id, state, reason_code, status, slot)
  DO UPDATE SET messages = message_counts.messages + excluded.messages;
  -- Most updates move nobody: a claim, an attempt.
  IF FOUND THEN
    INSERT INTO sends_per_minute (occurrence_id, minute, state, slot, messages)
    SELECT n.occurrence_id, date_trunc('minute', coalesce(n.settled_at, n.attempted_at)), n.state,
      txid_current(), count(*)
    FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
    WHERE o.state IN ('planned', 'claimed', 'attempting')
      AND n.state IN ('accepted', 'rejected', 'unknown')
      AND coalesce(n.settled_at, n.attempted_at) IS NOT NULL
    GROUP BY 1, 2, 3
    ON CONFLICT (occurrence_id, minute, state, slot)
    DO UPDATE SET messages = sends_per_minute.messages + excluded.messages;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER count_updated AFTER UPDATE ON messages
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION count_updated();
