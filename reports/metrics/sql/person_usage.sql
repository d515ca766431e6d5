-- A person's usage in [begins, ends), paid separately or by a seat: on each day, of each model, and in total.
SELECT
    multiIf(grouping(day) = 0, 'day', grouping(model_id) = 0, 'model', '') AS part, day, model_id,
    sum(requests) AS total_requests,
    sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
        + cache_creation_1h_input_tokens) AS prompt_tokens,
    sum(output_tokens) AS completion_tokens
FROM (
    SELECT *, toDate(hour) AS day, toString(model) AS model_id FROM spend_cells_current
    WHERE organization_id = {organization_id:UUID}
        AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')}
        AND actor_type = 'user' AND actor_id = {account:UUID} AND requests > 0
)
GROUP BY GROUPING SETS ((day), (model_id), ())
ORDER BY part, day, total_requests DESC, model_id
