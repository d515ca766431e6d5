-- Spend in these products in [begins, ends): the priced part, and the models of the unpriced part.
SELECT
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
WHERE reported AND has({products:Array(String)}, toString(product))
