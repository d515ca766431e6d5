-- Of which parts the tables consist that answers are made of. A part never changes: whatever is written, merged or taken
-- away, one comes or goes, so equal parts are equal tables. Replicas may lag behind each other, so each tells its name.
SELECT count(), hex(sipHash128(hostName(), arraySort(groupArray((table, name, hash_of_all_files)))))
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN (
    'spend_cells', 'chat_cells', 'file_cells', 'project_cells', 'artifact_cells', 'connector_cells', 'session_cells',
    'directory', 'profiles', 'price_lists', 'topic_epochs'
)
