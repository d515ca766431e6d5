-- What each person's usage cost, at list price and after the discount, highest first. A cost without a known price is
-- NULL, which no sum contains: those requests are counted apart.
SELECT
    any(people.email) AS email, sum(spend.requests) AS requests, sum(list_usd) AS list, sum(net_usd) AS net,
    sumIf(spend.requests, net_usd IS NULL) AS without_price
FROM spend
LEFT JOIN people ON people.organization_id = spend.organization_id AND people.account_id = spend.actor_id
WHERE spend.organization_id = {organization:UUID} AND spend.actor_type = 'user' AND spend.reported
GROUP BY spend.actor_id
ORDER BY net DESC, spend.actor_id
