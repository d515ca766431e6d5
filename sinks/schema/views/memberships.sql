-- Everyone who is or was a member of an organization: `membership` is the last event that decided it, member.joined for a
-- member, and `role` is a member's, else ''. Who was removed or deleted has no role, even if one was set since.
CREATE OR REPLACE VIEW memberships AS
SELECT
    organization_id, account_id, argMaxIf(type, place, type != 'role.changed') AS membership,
    if(
        membership = 'member.joined',
        argMaxIf(change.role, place, type IN ('member.joined', 'role.changed')), ''
    ) AS role
FROM member_changes AS change
GROUP BY organization_id, account_id;
