-- The cost of an organization's usage in [begins, ends): the result of the view `spend`, from sums by day, not cells.
CREATE OR REPLACE VIEW spend_by_day AS
SELECT
    usage.product AS product, usage.model AS model, usage.price_key.model AS undated_model, usage.requests AS requests,
    usage.uncached_input_tokens AS uncached_input_tokens, usage.cache_read_input_tokens AS cache_read_input_tokens,
    usage.cache_creation_5m_input_tokens AS cache_creation_5m_input_tokens,
    usage.cache_creation_1h_input_tokens AS cache_creation_1h_input_tokens, usage.output_tokens AS output_tokens,
    {{cost}}
FROM (
    SELECT *, toDateTime64(moment, 6, 'UTC') AS instant, 1 AS tools
    FROM usage_by_day(
        organization_id = {organization_id:UUID}, begins = {begins:DateTime('UTC')}, ends = {ends:DateTime('UTC')},
        asked = true
    )
) AS usage
ASOF LEFT JOIN token_prices AS price ON usage.price_key = price.price_key AND usage.moment >= price.effective_from
ASOF LEFT JOIN tool_prices AS tool ON usage.tools = tool.tools AND usage.moment >= tool.effective_from
ASOF LEFT JOIN (SELECT *, 1 AS tools FROM terms WHERE organization_id = {organization_id:UUID}) AS terms
    ON usage.tools = terms.tools AND usage.instant >= terms.in_force_from
SETTINGS do_not_merge_across_partitions_select_final = 1, join_use_nulls = 0;
