-- The organization's current name, and the latest time of anything in its directory or its profiles.
SELECT
    (SELECT any(name) FROM organization_names WHERE organization_id = {organization_id:UUID}) AS name,
    toUnixTimestamp64Micro(greatest(
        (SELECT max(occurred_at) FROM directory WHERE organization_id = {organization_id:UUID}),
        (SELECT max(occurred_at) FROM profiles WHERE organization_id = {organization_id:UUID})
    )) AS newest_us
