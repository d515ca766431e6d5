-- People who are no members any more, and how they left: `member.removed`, or `account.deleted` with the account itself.
CREATE OR REPLACE VIEW departures AS
SELECT
    organization_id, toUUID(subject_id) AS account_id,
    argMax(type, (in_force_from, toUInt32OrZero(splitByChar('@', source)[2]), log_offset)) AS how
FROM directory FINAL
WHERE type IN ('member.joined', 'member.removed', 'account.deleted')
    AND toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.directory' AND mode = 'replace')
GROUP BY organization_id, account_id
HAVING how != 'member.joined';
