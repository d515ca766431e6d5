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
