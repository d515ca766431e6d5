-- The spend report: usage by person, product and model, and by day or by Slack channel if requested. Amounts are text,
-- since many readers parse JSON numbers as floats; '' if a price is unknown.
SELECT
    usage.day, {organization_id:String}, if(usage.account = '', '', people.email) AS email, usage.account, usage.product_label,
    toString(usage.model), toString(family.name),
    toString(usage.requests), toString(usage.prompt_tokens), toString(usage.completion_tokens),
    usage.net_usd, usage.list_usd,
    toString(usage.uncached_tokens), toString(usage.cache_read_tokens), toString(usage.cache_write_5m_tokens),
    toString(usage.cache_write_1h_tokens), toString(usage.web_searches), usage.channel
FROM (
    SELECT
        if({by_day:Bool}, toString(spend.day), '') AS day, channels.slack_channel_id AS channel,
        if(actor_type = 'user', toString(actor_id), '') AS account,
        if(actor_type = 'user', actor_id, toUUID('00000000-0000-0000-0000-000000000000')) AS account_id,
        transform(toString(product), {products:Array(String)}, {labels:Array(String)}, toString(product))
            AS product_label,
        model, undated_model, sum(requests) AS requests, sum(uncached_input_tokens) AS uncached_tokens,
        sum(cache_read_input_tokens) AS cache_read_tokens, sum(cache_creation_5m_input_tokens) AS cache_write_5m_tokens,
        sum(cache_creation_1h_input_tokens) AS cache_write_1h_tokens,
        uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens AS prompt_tokens,
        sum(output_tokens) AS completion_tokens, sum(web_search_requests) AS web_searches,
        if(countIf(isNull(spend.list_usd)) = 0, toString(sum(spend.net_usd)), '') AS net_usd,
        if(countIf(isNull(spend.list_usd)) = 0, toString(sum(spend.list_usd)), '') AS list_usd
    FROM spend
    LEFT JOIN (
        SELECT attribution_id, slack_channel_id FROM attributions FINAL
        WHERE {by_channel:Bool} AND slack_channel_id != ''
    ) AS channels ON channels.attribution_id = spend.attribution_id
    WHERE organization_id = {organization_id:UUID}
        AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} AND reported
    GROUP BY day, channel, account, account_id, product_label, model, undated_model
) AS usage
LEFT JOIN people_of(organization_id = {organization_id:UUID}) AS people ON people.account_id = usage.account_id
LEFT JOIN (SELECT model, family AS name FROM models) AS family ON family.model = usage.undated_model
ORDER BY usage.day, email, usage.account, usage.product_label, usage.model, usage.channel
