-- 1 if the organization's directory has ever had this account.
SELECT count() > 0
FROM directory_changes
WHERE organization_id = {organization_id:UUID} AND subject_id = {account:String}
    AND type IN ('member.joined', 'member.removed', 'role.changed', 'seat.assigned', 'account.deleted')
