-- Organizations by activity, most active first.
SELECT toString(organization_id), sum(cells)
FROM (
    SELECT organization_id, count() AS cells FROM chat_cells GROUP BY organization_id
    UNION ALL
    SELECT organization_id, count() FROM session_cells GROUP BY organization_id
)
GROUP BY organization_id
ORDER BY sum(cells) DESC, organization_id
LIMIT {limit:UInt32}
