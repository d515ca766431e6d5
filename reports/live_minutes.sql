-- The organization's activity in each of the {minutes} minutes up to {now}, without empty minutes.
SELECT
    minute, sum(happened) AS events, sum(asked) AS requests, sum(prompt) AS prompt_tokens,
    sum(completion) AS completion_tokens, sumMap(map(product, happened)) AS products
FROM (
    SELECT
        minute, toString(product) AS product, sum(events) AS happened, sum(requests) AS asked,
        sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
            + cache_creation_1h_input_tokens) AS prompt,
        sum(output_tokens) AS completion
    FROM live
    WHERE organization_id = {organization_id:UUID}
        AND minute > {now:DateTime('UTC')} - toIntervalMinute({minutes:UInt16}) AND minute <= {now:DateTime('UTC')}
    GROUP BY minute, product
)
GROUP BY minute
ORDER BY minute
