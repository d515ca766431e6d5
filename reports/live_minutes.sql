-- What the organization's people and machines did in each of the last {minutes} minutes that has anything, oldest first.
SELECT
    minute, sum(events) AS happened, sum(requests) AS asked,
    sum(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
        + cache_creation_1h_input_tokens) AS prompt_tokens,
    sum(output_tokens) AS completion_tokens,
    sumMap(map(toString(product), events)) AS products
FROM live
WHERE organization_id = {organization_id:UUID} AND minute > {now:DateTime('UTC')} - INTERVAL {minutes:UInt16} MINUTE
    AND minute <= {now:DateTime('UTC')}
GROUP BY minute
ORDER BY minute
