-- Distinct people who made an artifact from first to last, and who they are if {listed}.
SELECT uniqExact(actor_id), arraySort(groupUniqArrayIf(toString(actor_id), {listed:Bool}))
FROM counted_artifacts
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND actor_type = 'user' AND created > 0
