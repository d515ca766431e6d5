-- Spend on each model in [begins, ends), highest first; unpriced models come last.
SELECT usage.model_id, family.name, usage.* EXCEPT (model_id, undated_model)
FROM (
    SELECT
        toString(model) AS model_id, undated_model,
        sum(requests) AS total_requests,
        sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
            + cache_creation_1h_input_tokens) AS prompt_tokens,
        sum(output_tokens) AS completion_tokens,
        sum(ifNull(net_usd, toDecimal256(0, 24))) AS priced_net_usd,
        sum(ifNull(list_usd, toDecimal128(0, 18))) AS priced_list_usd,
        arraySort(arrayMap(name -> toString(name), groupUniqArrayIf(model, isNull(list_usd)))) AS unpriced_models
    FROM spend_by_day(
        organization_id = {organization_id:UUID}, begins = {begins:DateTime('UTC')}, ends = {ends:DateTime('UTC')}
    )
    WHERE reported
    GROUP BY model, undated_model
) AS usage
LEFT JOIN (SELECT model, toString(family) AS name FROM models) AS family ON family.model = usage.undated_model
ORDER BY notEmpty(usage.unpriced_models), usage.priced_net_usd DESC, usage.model_id
