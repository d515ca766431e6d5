-- Each person's spend in [begins, ends), highest priced part first, and the number of people.
SELECT
    toString(actor_id) AS account_id, count() OVER () AS ranked,
    sum(requests) AS total_requests,
    sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
        + cache_creation_1h_input_tokens) AS prompt_tokens,
    sum(output_tokens) AS completion_tokens,
    sum(ifNull(net_usd, toDecimal256(0, 24))) AS priced_net_usd,
    sum(ifNull(list_usd, toDecimal128(0, 18))) AS priced_list_usd,
    arraySort(arrayMap(name -> toString(name), groupUniqArrayIf(model, isNull(list_usd)))) AS unpriced_models
FROM spend
WHERE organization_id = {organization_id:UUID} AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')}
    AND reported
    AND actor_type = 'user'
GROUP BY actor_id
ORDER BY priced_net_usd DESC, account_id
LIMIT {limit:UInt32}
