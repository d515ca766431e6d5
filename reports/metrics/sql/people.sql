-- Who these accounts are now: name and e-mail, empty when unknown, and whether the account is gone or forgotten.
SELECT
    toString(asked.account_id), known.name, known.email,
    known.forgotten OR asked.account_id IN (
        SELECT toUUIDOrZero(subject_id) FROM directory_changes
        WHERE organization_id = {organization_id:UUID} AND type = 'account.deleted'
    )
FROM (SELECT arrayJoin({accounts:Array(UUID)}) AS account_id) AS asked
LEFT JOIN (SELECT * FROM people WHERE account_id IN {accounts:Array(UUID)}) AS known
    ON known.account_id = asked.account_id
