-- What the engagement lists of the API are made of: cells as they count (newest version, replaced epochs left out),
-- and what the directory's history says of a day.

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

-- Web searches of model requests, by the day: the one count of Claude Code's searches.
CREATE OR REPLACE VIEW search_days AS
SELECT organization_id, toDate(hour) AS day, actor_type, actor_id, product, web_search_requests
FROM spend_cells FINAL
WHERE web_search_requests > 0 AND toUInt32OrZero(splitByChar('@', source)[2])
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace');

-- In which groups a person was, as (group, first day, last day) with every day on which the membership was held at any
-- instant. A deleted group, a removed member and a deleted account end memberships. The directory is read as it is, not
-- through directory_changes: two people may join a group at one instant.
CREATE OR REPLACE VIEW group_memberships AS
WITH changes AS (
    SELECT
        organization_id, type, subject_id, in_force_from, source, log_offset,
        JSONExtractString(detail, 'account_id') AS account
    FROM directory FINAL
    WHERE type IN ('group.joined', 'group.left', 'group.deleted', 'member.removed', 'account.deleted')
        AND toUInt32OrZero(splitByChar('@', source)[2])
            >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.directory' AND mode = 'replace')
)
SELECT
    organization_id, toUUID(account) AS account_id,
    groupArray((toUUID(group), toDate(held_from), ifNull(toDate(subtractMicroseconds(held_until, 1)), toDate('2149-06-06'))))
        AS memberships
FROM (
    SELECT
        organization_id, group, account, held, in_force_from AS held_from,
        leadInFrame(toNullable(in_force_from)) OVER (
            PARTITION BY organization_id, group, account ORDER BY in_force_from, source, log_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS held_until
    FROM (
        SELECT organization_id, subject_id AS group, account, type = 'group.joined' AS held, in_force_from, source, log_offset
        FROM changes WHERE type IN ('group.joined', 'group.left')
        UNION ALL
        SELECT joined.organization_id, joined.group, joined.account, false, ended.in_force_from, ended.source, ended.log_offset
        FROM (
            SELECT DISTINCT organization_id, subject_id AS group, account FROM changes WHERE type = 'group.joined'
        ) AS joined
        INNER JOIN (SELECT * FROM changes WHERE type = 'group.deleted') AS ended
            ON joined.organization_id = ended.organization_id AND joined.group = ended.subject_id
        UNION ALL
        SELECT joined.organization_id, joined.group, joined.account, false, ended.in_force_from, ended.source, ended.log_offset
        FROM (
            SELECT DISTINCT organization_id, subject_id AS group, account FROM changes WHERE type = 'group.joined'
        ) AS joined
        INNER JOIN (SELECT * FROM changes WHERE type IN ('member.removed', 'account.deleted')) AS ended
            ON joined.organization_id = ended.organization_id AND joined.account = ended.subject_id
    )
)
WHERE held AND (held_until IS NULL OR held_until > held_from)
GROUP BY organization_id, account_id;

-- The present name of each group, '' once it is deleted.
CREATE OR REPLACE VIEW group_names AS
SELECT
    organization_id, toUUID(subject_id) AS group_id,
    argMax(if(type = 'group.saved', JSONExtractString(detail, 'name'), ''), in_force_from) AS name
FROM directory_changes WHERE type IN ('group.saved', 'group.deleted')
GROUP BY organization_id, group_id;
