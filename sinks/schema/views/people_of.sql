-- Everyone whose name an organization has, has lost, or should have forgotten: the only definition of who has left (no
-- longer a member) and who is deleted (without an account: only the id is shown).
CREATE OR REPLACE VIEW people_of AS
SELECT
    account_id, max(known.email) AS email, max(known.name) AS name, max(known.how) AS how,
    max(known.forgotten) AND NOT max(known.named) AS forgotten, how = 'account.deleted' OR forgotten AS deleted,
    how != '' OR forgotten AS has_left
FROM (
    SELECT account_id, email, name, true AS named, '' AS how, false AS forgotten
    FROM named_people WHERE organization_id = {organization_id:UUID}
    UNION ALL
    SELECT account_id, '', '', false, how, false FROM departures WHERE organization_id = {organization_id:UUID}
    UNION ALL
    SELECT account_id, '', '', false, '', true FROM forgettings
) AS known
GROUP BY account_id;
