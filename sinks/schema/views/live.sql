-- Live counters by the minute of the event, for the last seven days.
CREATE OR REPLACE VIEW live AS
WITH (
    SELECT mapFromArrays(groupArray(topic), groupArray(floor))
    FROM (SELECT toString(topic) AS topic, max(epoch) AS floor FROM topic_epochs FINAL WHERE mode = 'replace' GROUP BY topic)
) AS floors
SELECT
    organization_id, minute, product, model, undated_model, sum(events) AS events, sum(requests) AS requests,
    sum(uncached_input_tokens) AS uncached_input_tokens, sum(cache_read_input_tokens) AS cache_read_input_tokens,
    sum(cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,
    sum(cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens, sum(output_tokens) AS output_tokens
FROM minute_cells FINAL
WHERE minute >= now('UTC') - INTERVAL 7 DAY
    AND toUInt32OrZero(extract(source, '@(.*)')) >= floors[extract(source, '^[^/]+')]
GROUP BY organization_id, minute, product, model, undated_model
SETTINGS do_not_merge_across_partitions_select_final = 1;
