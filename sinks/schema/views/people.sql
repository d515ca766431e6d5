-- The same for all organizations, for queries from outside Tally. A person who is forgotten and has no newer profile
-- anywhere occurs once, under no organization (the zero id).
CREATE OR REPLACE VIEW people AS
SELECT organization_id, account_id, email, name, toUInt8(0) AS forgotten FROM named_people
UNION ALL
SELECT toUUID('00000000-0000-0000-0000-000000000000'), account_id, '', '', toUInt8(1) FROM forgettings
WHERE account_id NOT IN (SELECT account_id FROM named_people);
