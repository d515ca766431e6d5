-- Distinct people who created a project or worked in one from first to last, and who they are if {listed}.
SELECT uniqExact(actor_id), arraySort(groupUniqArrayIf(toString(actor_id), {listed:Bool}))
FROM counted_projects
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND actor_type = 'user' AND (created > 0 OR used > 0)
