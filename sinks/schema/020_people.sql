-- People's names. An organization sees only what it reported itself: profiles belong to an organization and an account,
-- and a tombstone forgets the account everywhere.

-- When each account was last forgotten, and where in the log.
CREATE OR REPLACE VIEW forgettings AS
SELECT account_id, max(tombstone.occurred_at) AS forgotten_at, max(tombstone.log_place) AS log_place, true AS forgotten
FROM (
    SELECT account_id, occurred_at, log_place FROM profiles FINAL
    WHERE forgotten AND toUInt32OrZero(extract(source, '@(.*)'))
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.profiles' AND mode = 'replace')
) AS tombstone
GROUP BY account_id;

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

-- Profiles that have not been forgotten. A tombstone forgets everything before it in the log, and anything later about
-- a time before it, except about the time since the account was created again.
CREATE OR REPLACE VIEW remembered_profiles AS
SELECT told.*
FROM (
    SELECT *, log_place FROM profiles FINAL
    WHERE NOT forgotten AND toUInt32OrZero(extract(source, '@(.*)'))
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.profiles' AND mode = 'replace')
) AS told
LEFT JOIN forgettings ON forgettings.account_id = told.account_id
LEFT JOIN returns ON returns.organization_id = told.organization_id AND returns.account_id = told.account_id
WHERE NOT forgettings.forgotten OR (
    told.log_place > forgettings.log_place
    AND (told.occurred_at >= forgettings.forgotten_at OR (returns.returned AND told.occurred_at >= returns.returned_at))
)
SETTINGS join_use_nulls = 0;

-- The current name and e-mail of everyone who has them: of an organization's profiles of an account the newest applies,
-- by when it happened, then by the log. People whose account is deleted have none.
CREATE OR REPLACE VIEW named_people AS
SELECT
    told.organization_id AS organization_id, told.account_id AS account_id,
    argMax(told.email, (told.occurred_at, told.log_place)) AS email, argMax(told.name, (told.occurred_at, told.log_place)) AS name
FROM remembered_profiles AS told
LEFT JOIN departures ON departures.organization_id = told.organization_id AND departures.account_id = told.account_id
WHERE departures.how != 'account.deleted'
GROUP BY organization_id, account_id
SETTINGS join_use_nulls = 0;

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

-- The same for all organizations, for queries from outside Tally. A person who is forgotten and has no newer profile
-- anywhere occurs once, under no organization (the zero id).
CREATE OR REPLACE VIEW people AS
SELECT organization_id, account_id, email, name, toUInt8(0) AS forgotten FROM named_people
UNION ALL
SELECT toUUID('00000000-0000-0000-0000-000000000000'), account_id, '', '', toUInt8(1) FROM forgettings
WHERE account_id NOT IN (SELECT account_id FROM named_people);
