-- The views from which metrics count distinct things (reports/metrics): the cells of the epochs that count, one row
-- each, and the directory's history of seats and invites. tests/integration/test_metrics_views.py compares them with
-- the other views and checks the plans: filters on organization and window reach the cells' primary key.

CREATE OR REPLACE VIEW counted_chats AS
SELECT * EXCEPT (source, log_offset) FROM chat_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_projects AS
SELECT * EXCEPT (source, log_offset) FROM project_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.project' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_artifacts AS
SELECT * EXCEPT (source, log_offset) FROM artifact_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.artifact' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_connectors AS
SELECT * EXCEPT (source, log_offset) FROM connector_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.connector' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_sessions AS
SELECT * EXCEPT (source, log_offset) FROM session_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.session' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- People active per day and product: a chat with a message, wherever it was sent, is activity in chat; a session is
-- activity in its product. Rows may occur more than once: count with uniqExact.
CREATE OR REPLACE VIEW active_in_products AS
SELECT organization_id, day, actor_id AS account_id, 'chat' AS product
FROM counted_chats WHERE actor_type = 'user' AND messages > 0
UNION ALL
SELECT organization_id, day, actor_id AS account_id, toString(product) AS product
FROM counted_sessions
WHERE actor_type = 'user' AND product NOT IN ('', 'chat')
    AND (tool_uses > 0 OR if(product = 'claude_code', commits > 0 OR pull_requests > 0, messages > 0));

-- Every change in who has a seat; `place` is the order. People who are not members, or whose account is deleted, have
-- no seat, even if the directory does not unassign the seat too.
CREATE OR REPLACE VIEW seat_changes AS
SELECT
    organization_id, subject_id AS account_id, type = 'seat.assigned' AS seated, toDate(in_force_from) AS day, place
FROM directory_history
WHERE type IN ('seat.assigned', 'seat.unassigned', 'member.removed', 'account.deleted');

-- Every change in which invites are pending; `place` as in seat_changes.
CREATE OR REPLACE VIEW invite_changes AS
SELECT organization_id, subject_id AS invite_id, type = 'invite.sent' AS pending, toDate(in_force_from) AS day, place
FROM directory_history
WHERE type IN ('invite.sent', 'invite.closed');

-- The number of people with a seat and the number of pending invites, at the end of each day of [first, last].
CREATE OR REPLACE VIEW seats_held AS
SELECT day, toUInt64(total) AS seats
FROM (
    SELECT day, sum(sum(change)) OVER (ORDER BY day) AS total
    FROM (
        SELECT day, toInt64(at_end) - lagInFrame(toInt64(at_end)) OVER (
            PARTITION BY account_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS change
        FROM (
            SELECT account_id, day, argMax(seated, place) AS at_end FROM seat_changes
            WHERE organization_id = {organization_id:UUID} AND day <= {last:Date}
            GROUP BY account_id, day
        )
        UNION ALL
        SELECT {first:Date} + number, 0 FROM numbers(toUInt64({last:Date} - {first:Date}) + 1)
    )
    GROUP BY day
)
WHERE day >= {first:Date};

CREATE OR REPLACE VIEW invites_pending AS
SELECT day, toUInt64(total) AS invites
FROM (
    SELECT day, sum(sum(change)) OVER (ORDER BY day) AS total
    FROM (
        SELECT day, toInt64(at_end) - lagInFrame(toInt64(at_end)) OVER (
            PARTITION BY invite_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS change
        FROM (
            SELECT invite_id, day, argMax(pending, place) AS at_end FROM invite_changes
            WHERE organization_id = {organization_id:UUID} AND day <= {last:Date}
            GROUP BY invite_id, day
        )
        UNION ALL
        SELECT {first:Date} + number, 0 FROM numbers(toUInt64({last:Date} - {first:Date}) + 1)
    )
    GROUP BY day
)
WHERE day >= {first:Date};

-- Usage without its cost, for queries about users: the view spend computes a price for every row that it reads.
CREATE OR REPLACE VIEW counted_usage AS
SELECT * EXCEPT (source, log_offset) FROM spend_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1;
