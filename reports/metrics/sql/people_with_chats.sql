-- Distinct people who started a chat or wrote in one from first to last, and who they are if {listed}.
SELECT uniqExact(actor_id), arraySort(groupUniqArrayIf(toString(actor_id), {listed:Bool}))
FROM counted_chats
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND actor_type = 'user' AND (started > 0 OR messages > 0)
