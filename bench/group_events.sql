SELECT organization_id, toStartOfHour(occurred_at) AS hour, actor.id, product, model, count(),
    sum(uncached_input_tokens), sum(cache_read_input_tokens), sum(cache_creation_5m_input_tokens), sum(output_tokens)
FROM file({path:String}, 'JSONEachRow', $$
    organization_id UUID, occurred_at DateTime('UTC'), actor Tuple(type String, id UUID), product String, model String,
    uncached_input_tokens UInt64, cache_read_input_tokens UInt64, cache_creation_5m_input_tokens UInt64,
    output_tokens UInt64
$$)
GROUP BY ALL
FORMAT Null
SETTINGS max_threads = 1, date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1
