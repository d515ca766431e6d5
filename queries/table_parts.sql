-- The parts of all tables that results are read from. A part is immutable: every insert, merge or deletion adds or
-- removes a part, so equal parts mean equal tables. Replicas may lag behind each other, so each includes its host name.
SELECT count(), hex(sipHash128(hostName(), arraySort(groupArray((table, name, hash_of_all_files)))))
FROM system.parts
WHERE active AND database = currentDatabase() AND has({tables:Array(String)}, table)
