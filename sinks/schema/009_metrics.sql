-- What metrics count distinct things from (reports/metrics): the cells that count, one row each, of the epochs that
-- count, and the directory's history of seats and invites. tests/integration/test_metrics_views.py holds them to the
-- other views and looks at the plans: an organization's and a window's filter reaches the cells' primary key.

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

-- Who was active on a day in which product: a chat with a message, wherever it was held, is activity in chat; a
-- session is activity in its product. A row may be there more than once: count with uniqExact.
CREATE OR REPLACE VIEW active_in_products AS
SELECT organization_id, day, actor_id AS account_id, 'chat' AS product
FROM counted_chats WHERE actor_type = 'user' AND messages > 0
UNION ALL
SELECT organization_id, day, actor_id AS account_id, toString(product) AS product
FROM counted_sessions
WHERE actor_type = 'user' AND product NOT IN ('', 'chat')
    AND (tool_uses > 0 OR if(product = 'claude_code', commits > 0 OR pull_requests > 0, messages > 0));

-- Every change of who holds a seat. `place` orders changes: by time, then by the log. Who is no member, or has no
-- account any more, holds no seat, whether or not the directory says so of the seat too.
CREATE OR REPLACE VIEW seat_changes AS
SELECT
    organization_id, subject_id AS account_id, type = 'seat.assigned' AS seated, toDate(in_force_from) AS day,
    (in_force_from, toUInt32OrZero(splitByChar('@', source)[2]), log_offset) AS place
FROM directory FINAL
WHERE type IN ('seat.assigned', 'seat.unassigned', 'member.removed', 'account.deleted')
    AND toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.directory' AND mode = 'replace');

-- Every change of which invites are pending; `place` as in seat_changes.
CREATE OR REPLACE VIEW invite_changes AS
SELECT
    organization_id, subject_id AS invite_id, type = 'invite.sent' AS pending, toDate(in_force_from) AS day,
    (in_force_from, toUInt32OrZero(splitByChar('@', source)[2]), log_offset) AS place
FROM directory FINAL
WHERE type IN ('invite.sent', 'invite.closed')
    AND toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.directory' AND mode = 'replace');

-- Usage without its cost, for who used anything: the view spend prices every row that it is asked for.
CREATE OR REPLACE VIEW counted_usage AS
SELECT * EXCEPT (source, log_offset) FROM spend_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1;
