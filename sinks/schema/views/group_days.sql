-- Groups of a person, as (group, first day, last day) with every day on which the person was a member at any instant.
CREATE OR REPLACE VIEW group_days AS
SELECT
    organization_id, account_id,
    groupArray((group_id, toDate(joined_at), ifNull(toDate(subtractMicroseconds(left_at, 1)), toDate('2149-06-06'))))
        AS memberships
FROM group_memberships
GROUP BY organization_id, account_id;
