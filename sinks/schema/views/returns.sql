-- Accounts that were created again after their deletion, and when.
CREATE OR REPLACE VIEW returns AS
SELECT organization_id, account_id, place.1 AS returned_at, true AS returned
FROM (
    SELECT
        organization_id, toUUIDOrZero(subject_id) AS account_id, maxIf(place, type = 'account.deleted') AS deleted,
        arraySort(arrayFilter(each -> each > deleted, groupArrayIf(place, type = 'member.joined'))) AS joined
    FROM directory_history
    WHERE type IN ('member.joined', 'account.deleted')
    GROUP BY organization_id, account_id
    HAVING countIf(type = 'account.deleted') > 0
)
ARRAY JOIN arraySlice(joined, 1, 1) AS place;
