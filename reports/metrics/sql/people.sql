-- These accounts now: name and e-mail, empty if unknown, and whether the account is deleted or forgotten.
SELECT toString(asked.account_id), known.name, known.email, known.deleted
FROM (SELECT arrayJoin({accounts:Array(UUID)}) AS account_id) AS asked
LEFT JOIN people_of(organization_id = {organization_id:UUID}) AS known ON known.account_id = asked.account_id
