-- Who these accounts are at present, and whether they have left: the organization, or for good.
SELECT
    toString(asked.account_id) AS account_id, people.email AS email, people.name AS name,
    departures.how != '' OR people.forgotten AS has_left, departures.how = 'account.deleted' OR people.forgotten AS is_deleted
FROM (SELECT arrayJoin({accounts:Array(UUID)}) AS account_id) AS asked
LEFT JOIN (SELECT * FROM people WHERE account_id IN {accounts:Array(UUID)}) AS people
    ON people.account_id = asked.account_id
LEFT JOIN (
    SELECT account_id, how FROM departures
    WHERE organization_id = {organization_id:UUID} AND account_id IN {accounts:Array(UUID)}
) AS departures ON departures.account_id = asked.account_id
