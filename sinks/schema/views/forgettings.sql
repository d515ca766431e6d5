-- When each account was forgotten last, and where in the log. Profiles belong to an organization and an account; a
-- tombstone forgets the account everywhere.
CREATE OR REPLACE VIEW forgettings AS
SELECT account_id, max(tombstone.occurred_at) AS forgotten_at, max(tombstone.log_place) AS log_place, true AS forgotten
FROM (
    SELECT account_id, occurred_at, log_place FROM profiles FINAL
    WHERE forgotten AND toUInt32OrZero(extract(source, '@(.*)'))
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.profiles' AND mode = 'replace')
) AS tombstone
GROUP BY account_id;
