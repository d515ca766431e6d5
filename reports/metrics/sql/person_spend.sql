-- A person's spend in [begins, ends): on each day, in each product, on each model, and in total; highest first.
SELECT
    multiIf(grouping(day) = 0, 'day', grouping(place) = 0, 'product', grouping(model_id) = 0, 'model', '') AS part, day,
    if(part = 'product', place, model_id) AS name,
    sum(requests) AS total_requests,
    sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
        + cache_creation_1h_input_tokens) AS prompt_tokens,
    sum(output_tokens) AS completion_tokens,
    sum(ifNull(net_usd, toDecimal256(0, 24))) AS priced_net_usd,
    sum(ifNull(list_usd, toDecimal128(0, 18))) AS priced_list_usd,
    arraySort(groupUniqArrayIf(model_id, isNull(list_usd))) AS unpriced_models
FROM (
    SELECT * EXCEPT (day), toDate(hour) AS day, toString(product) AS place, toString(model) AS model_id FROM spend
    WHERE organization_id = {organization_id:UUID}
        AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')}
        AND reported AND actor_type = 'user' AND actor_id = {account:UUID}
)
GROUP BY GROUPING SETS ((day), (place), (model_id), ())
ORDER BY part, day, notEmpty(unpriced_models), priced_net_usd DESC, name
