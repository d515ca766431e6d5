-- Distinct people whose requests used tokens from first to last, and who they are if {listed}.
SELECT uniqExact(actor_id), arraySort(groupUniqArrayIf(toString(actor_id), {listed:Bool}))
FROM counted_usage
WHERE organization_id = {organization_id:UUID} AND toDate(hour) BETWEEN {first:Date} AND {last:Date}
    AND actor_type = 'user' AND uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
        + cache_creation_1h_input_tokens + output_tokens > 0
