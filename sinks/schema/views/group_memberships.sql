-- Membership of people in groups from one instant to another (NULL: current). A deleted group, a removed member and a
-- deleted account end memberships; joining again while in the group changes nothing. It reads the history, not
-- directory_changes, because two people may join a group at one instant.
CREATE OR REPLACE VIEW group_memberships AS
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
