-- Live counters by the minute of the event, for the last seven days.
CREATE OR REPLACE VIEW live AS
SELECT
    organization_id, minute, product, model, undated_model, sum(events) AS events, sum(requests) AS requests,
    sum(uncached_input_tokens) AS uncached_input_tokens, sum(cache_read_input_tokens) AS cache_read_input_tokens,
    sum(cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,
    sum(cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens, sum(output_tokens) AS output_tokens
FROM minute_cells_current
WHERE minute >= now('UTC') - INTERVAL 7 DAY
GROUP BY organization_id, minute, product, model, undated_model;
