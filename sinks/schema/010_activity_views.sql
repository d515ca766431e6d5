-- The basis of the API's engagement lists: cells that count (newest version, without replaced epochs), and the
-- directory's history by day.

CREATE OR REPLACE VIEW chat_days AS
SELECT * EXCEPT (source, log_offset) FROM chat_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace');

CREATE OR REPLACE VIEW file_days AS
SELECT * EXCEPT (source, log_offset) FROM file_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace');

CREATE OR REPLACE VIEW project_days AS
SELECT * EXCEPT (source, log_offset) FROM project_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.project' AND mode = 'replace');

CREATE OR REPLACE VIEW artifact_days AS
SELECT * EXCEPT (source, log_offset) FROM artifact_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.artifact' AND mode = 'replace');

CREATE OR REPLACE VIEW extension_days AS
SELECT * EXCEPT (source, log_offset) FROM connector_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.connector' AND mode = 'replace');

CREATE OR REPLACE VIEW session_days AS
SELECT * EXCEPT (source, log_offset) FROM session_cells FINAL
WHERE toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.session' AND mode = 'replace');

-- Web searches of model requests per day: the only count of Claude Code's searches.
CREATE OR REPLACE VIEW search_days AS
SELECT organization_id, toDate(hour) AS day, actor_type, actor_id, product, web_search_requests
FROM spend_cells FINAL
WHERE web_search_requests > 0 AND toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace');

-- Membership of people in groups from one instant to another (NULL: current). A deleted group, a removed member and a
-- deleted account end memberships; joining again while in the group changes nothing. It reads the history, not
-- directory_changes, because two people may join a group at one instant.
CREATE OR REPLACE VIEW group_spans AS
WITH
    changes AS (
        SELECT organization_id, type, subject_id, place, JSONExtractString(detail, 'account_id') AS account
        FROM directory_history
        WHERE type IN ('group.joined', 'group.left', 'group.deleted', 'member.removed', 'account.deleted')
    ),
    joined AS (
        SELECT DISTINCT organization_id, subject_id AS group, account FROM changes WHERE type = 'group.joined'
    ),
    steps AS (
        SELECT organization_id, subject_id AS group, account, type = 'group.joined' AS held, place
        FROM changes WHERE type IN ('group.joined', 'group.left')
        UNION ALL
        SELECT joined.organization_id, joined.group, joined.account, false, ended.place
        FROM joined INNER JOIN changes AS ended
            ON ended.organization_id = joined.organization_id AND ended.subject_id = joined.group
        WHERE ended.type = 'group.deleted'
        UNION ALL
        SELECT joined.organization_id, joined.group, joined.account, false, ended.place
        FROM joined INNER JOIN changes AS ended
            ON ended.organization_id = joined.organization_id AND ended.subject_id = joined.account
        WHERE ended.type IN ('member.removed', 'account.deleted')
    ),
    turns AS (
        SELECT *, place.1 AS at, lagInFrame(held, 1, false) OVER (
            PARTITION BY organization_id, group, account ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS was_held
        FROM steps
    )
SELECT organization_id, toUUID(group) AS group_id, toUUID(account) AS account_id, joined_at, left_at
FROM (
    SELECT organization_id, group, account, held, at AS joined_at, leadInFrame(toNullable(at)) OVER (
        PARTITION BY organization_id, group, account ORDER BY place
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS left_at
    FROM turns WHERE held != was_held
)
WHERE held AND (left_at IS NULL OR left_at > joined_at);

-- Groups of a person, as (group, first day, last day) with every day on which the person was a member at any instant.
CREATE OR REPLACE VIEW group_memberships AS
SELECT
    organization_id, account_id,
    groupArray((group_id, toDate(joined_at), ifNull(toDate(subtractMicroseconds(left_at, 1)), toDate('2149-06-06'))))
        AS memberships
FROM group_spans
GROUP BY organization_id, account_id;

-- The current name of each group, '' once it is deleted.
CREATE OR REPLACE VIEW group_names AS
SELECT
    organization_id, toUUID(subject_id) AS group_id,
    argMax(if(type = 'group.saved', JSONExtractString(detail, 'name'), ''), place) AS name
FROM directory_changes WHERE type IN ('group.saved', 'group.deleted')
GROUP BY organization_id, group_id;
