-- When each account was forgotten last, and where in the log. Profiles belong to an organization and an account; a
-- tombstone forgets the account everywhere.
CREATE OR REPLACE VIEW forgettings AS
SELECT account_id, max(tombstone.occurred_at) AS forgotten_at, max(tombstone.log_place) AS log_place, true AS forgotten
FROM profiles_current AS tombstone
WHERE tombstone.forgotten
GROUP BY account_id;
