-- The cost of `usage` at `price` (of its tokens) and `tool`, under `terms`: `reported` if it is part of the spend report,
-- `list_usd` NULL where there is no price, `net_usd` after the discount.
NOT has(terms.covered_by_seats, usage.funding) AS reported,
    if(usage.model = '', toDecimal128(0, 18),
        usage.uncached_input_tokens * toDecimal128(price.uncached_input_token_usd, 18)
        + usage.cache_read_input_tokens * toDecimal128(price.cache_read_input_token_usd, 18)
        + usage.cache_creation_5m_input_tokens * toDecimal128(price.cache_creation_5m_input_token_usd, 18)
        + usage.cache_creation_1h_input_tokens * toDecimal128(price.cache_creation_1h_input_token_usd, 18)
        + usage.output_tokens * toDecimal128(price.output_token_usd, 18)) AS tokens_list_usd,
    if(usage.web_search_requests = 0, toDecimal128(0, 18),
        usage.web_search_requests * toDecimal128(tool.web_search_request_usd, 18)) AS web_search_list_usd,
    if(usage.execution_milliseconds = 0, toDecimal128(0, 18),
        usage.execution_milliseconds * tool.execution_millisecond_usd) AS execution_list_usd,
    tokens_list_usd + web_search_list_usd + execution_list_usd AS list_usd,
    toDecimal256(list_usd, 18) * (toDecimal64(1, 6) - terms.discount) AS net_usd
