-- Every change of a member's role; `place` is the order.
CREATE OR REPLACE VIEW member_changes AS
SELECT organization_id, subject_id AS account_id, type, JSONExtractString(detail, 'role') AS role, place
FROM directory_history
WHERE type IN ('member.joined', 'role.changed', 'member.removed', 'account.deleted');
