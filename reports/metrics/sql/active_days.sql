-- On how many days from first to last people were active: for each number of days, how many people.
SELECT days, count()
FROM (
    SELECT uniqExact(day) AS days
    FROM active_in_products
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND has({products:Array(String)}, product)
    GROUP BY account_id
)
GROUP BY days
