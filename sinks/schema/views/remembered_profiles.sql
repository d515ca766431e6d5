-- Profiles that have not been forgotten. A tombstone forgets everything before it in the log, and anything later about
-- a time before it, except about the time since the account was created again.
CREATE OR REPLACE VIEW remembered_profiles AS
SELECT told.*
FROM (SELECT * FROM profiles_current WHERE NOT forgotten) AS told
LEFT JOIN forgettings ON forgettings.account_id = told.account_id
LEFT JOIN returns ON returns.organization_id = told.organization_id AND returns.account_id = told.account_id
WHERE NOT forgettings.forgotten OR (
    told.log_place > forgettings.log_place
    AND (told.occurred_at >= forgettings.forgotten_at OR (returns.returned AND told.occurred_at >= returns.returned_at))
)
SETTINGS join_use_nulls = 0;
