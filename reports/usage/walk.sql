-- The rows of a walk from a position on.
SELECT row FROM usage_walks
WHERE walk_id = {walk_id:String} AND place >= {start:UInt32}
ORDER BY place
LIMIT {limit:UInt32}
