-- Every change in who has a seat; `place` is the order. People who are not members, or whose account is deleted, have
-- no seat, even if the directory does not unassign the seat too.
CREATE OR REPLACE VIEW seat_changes AS
SELECT
    organization_id, subject_id AS account_id, type = 'seat.assigned' AS seated, toDate(in_force_from) AS day, place
FROM directory_history
WHERE type IN ('seat.assigned', 'seat.unassigned', 'member.removed', 'account.deleted');
