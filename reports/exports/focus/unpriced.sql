-- Models of reported usage whose cost is unknown; '' means tools.
SELECT DISTINCT toString(model) AS model FROM spend
WHERE organization_id = {organization_id:UUID}
    AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} AND reported AND isNull(list_usd)
ORDER BY model
