-- Distinct people active in any of the products from first to last, and who they are if {listed}.
SELECT uniqExact(account_id), arraySort(groupUniqArrayIf(toString(account_id), {listed:Bool}))
FROM active_in_products
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND has({products:Array(String)}, product)
