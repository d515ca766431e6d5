-- Former members, and how they left: `member.removed`, or `account.deleted` with the account itself.
CREATE OR REPLACE VIEW departures AS
SELECT organization_id, toUUIDOrZero(subject_id) AS account_id, argMax(type, place) AS how
FROM directory_history
WHERE type IN ('member.joined', 'member.removed', 'account.deleted')
GROUP BY organization_id, account_id
HAVING how != 'member.joined';
