-- Every change in which invites are pending; `place` as in seat_changes.
CREATE OR REPLACE VIEW invite_changes AS
SELECT organization_id, subject_id AS invite_id, type = 'invite.sent' AS pending, toDate(in_force_from) AS day, place
FROM directory_history
WHERE type IN ('invite.sent', 'invite.closed');
