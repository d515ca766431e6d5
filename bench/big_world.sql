-- What the people of a big organization do, by people and days. Everything is a hash of who, when and what, so the same
-- size gives the same cells. A few people do much and most do little, weekends are quiet, and names follow Zipf's law.

-- name: seats
INSERT INTO directory (organization_id, type, in_force_from, subject_id, detail, source, log_offset)
SELECT {organization:UUID}, 'seat.assigned', toDateTime64({first:Date}, 6, 'UTC') - INTERVAL number % 60 - 20 DAY,
    toString(reinterpretAsUUID(sipHash128('person', number))), '{}', 'tally.directory/0@0', number
FROM numbers({people:UInt64})
WHERE number % 20 != 0;

-- name: owner
INSERT INTO directory (organization_id, type, in_force_from, subject_id, detail, source, log_offset)
SELECT {organization:UUID}, 'member.joined', toDateTime64({first:Date}, 6, 'UTC') - INTERVAL 80 DAY,
    toString(reinterpretAsUUID(sipHash128('person', toUInt64(1)))), '{"role":"primary_owner"}', 'tally.directory/0@0', 4000000;

-- name: memberships
INSERT INTO directory (organization_id, type, in_force_from, subject_id, detail, source, log_offset)
SELECT {organization:UUID}, 'group.joined', toDateTime64({first:Date}, 6, 'UTC') - INTERVAL number % 60 - 20 DAY,
    if(number % 50 = 0, {group:String}, toString(reinterpretAsUUID(sipHash128('group', number % 40)))),
    concat('{"account_id":"', toString(reinterpretAsUUID(sipHash128('person', number))), '"}'),
    'tally.directory/0@0', 1000000 + number
FROM numbers({people:UInt64});

-- name: profiles
INSERT INTO profiles (organization_id, account_id, email, name, forgotten, source, log_offset)
SELECT {organization:UUID}, reinterpretAsUUID(sipHash128('person', number)), concat('person', toString(number), '@example.com'), 'Somebody', 0,
    'tally.profiles/0@0', number
FROM numbers({people:UInt64});

-- name: terms
INSERT INTO directory (organization_id, type, in_force_from, subject_id, detail, source, log_offset)
SELECT {organization:UUID}, change.1, toDateTime64({first:Date}, 6, 'UTC') + INTERVAL change.3 DAY, change.4, change.2,
    'tally.directory/0@0', 2000000 + number
FROM (
    SELECT number, [
        ('organization.created', '{"name":"Big"}', -90, ''),
        ('plan.changed', '{"plan":"enterprise_usage_based"}', -90, ''),
        ('seats.purchased', '{"seats":100000}', -90, ''),
        ('discount.changed', '{"discount":"0.1"}', -90, ''),
        ('discount.changed', '{"discount":"0.15"}', 40, '')
    ][number + 1] AS change
    FROM numbers(5)
);

-- name: things
INSERT INTO directory (organization_id, type, in_force_from, subject_id, detail, source, log_offset)
SELECT {organization:UUID}, ['connector.saved', 'skill.saved', 'group.saved', 'project.saved'][number % 4 + 1] AS kind,
    toDateTime64({first:Date}, 6, 'UTC') - INTERVAL 90 DAY,
    multiIf(kind = 'connector.saved', concat('connector-', toString(intDiv(number, 4))),
        kind = 'skill.saved', concat('skill-', toString(intDiv(number, 4))),
        kind = 'group.saved', toString(reinterpretAsUUID(sipHash128('group', intDiv(number, 4) % 40))),
        toString(reinterpretAsUUID(sipHash128('project', intDiv(number, 4))))),
    concat('{"display_name":"Thing ', toString(number), '","name":"Thing ', toString(number),
        '","share_status":"organization","created_at":"2026-01-01T00:00:00Z","created_by":"',
        toString(reinterpretAsUUID(sipHash128('person', number))), '"}'),
    'tally.directory/0@0', 3000000 + number
FROM numbers(800);

-- name: doings
WITH
    -- One row a person and day with anything done: dice(n) are independent numbers of 32 bits.
    doings AS (
        SELECT
            number AS person, day,
            if({small:UInt32} = 0, toUUID('aaaaaaaa-0000-4000-8000-0000000000ff'),
                reinterpretAsUUID(sipHash128('organization', number % greatest({small:UInt32}, 1)))) AS organization_id,
            reinterpretAsUUID(sipHash128(if({small:UInt32} = 0, 'person', 'small'), number)) AS actor_id,
            cityHash64(number, day) AS h, toUInt64(toUInt32(day)) * 10000000 + h % 10000000 AS log_offset,
            concat('/', toString(number % 4), '@0') AS partition,
            ['chat', 'chat', 'chat', 'claude_code', 'claude_code', 'cowork', 'office_agent', 'claude_design', 'science', 'chat']
                [number % 10 + 1] AS favourite,
            if(cityHash64(h, 1) % 4 = 0, 'chat', favourite) AS product,
            greatest(least(pow(cityHash64(number, 2) % 1000 / 1000, 2.3), 0.95), 0.04) AS eagerness
        FROM numbers({people:UInt64})
        ARRAY JOIN arrayMap(i -> {first:Date} + i, range({days:UInt32})) AS day
        WHERE (cityHash64(number, day, 3) % 1000) / 1000 < eagerness * if(toDayOfWeek(day) > 5, 0.2, 1.15)
    )

-- name: spend
INSERT INTO spend_cells (source, organization_id, hour, actor_type, actor_id, product, model, service_tier, funding,
    log_offset, requests, uncached_input_tokens, cache_read_input_tokens, output_tokens, web_search_requests)
SELECT
    concat('tally.token', partition), organization_id, toDateTime(day, 'UTC') + INTERVAL 7 + (h + 3 * i) % 12 HOUR, 'user',
    actor_id, product,
    ['claude-sonnet-5', 'claude-sonnet-5', 'claude-opus-4-8', 'claude-haiku-4-5-20251001'][cityHash64(h, 4, i) % 4 + 1],
    'standard', 'usage_based', log_offset, 1 + cityHash64(h, 5, i) % 9, cityHash64(h, 6, i) % 100000,
    cityHash64(h, 7, i) % 1000000, cityHash64(h, 8, i) % 5000, cityHash64(h, 9, i) % 10 = 0
FROM doings ARRAY JOIN range(1 + cityHash64(h, 10) % 3) AS i;

-- name: chat
INSERT INTO chat_cells (source, organization_id, day, actor_type, actor_id, product, surface, project_id, conversation_id,
    log_offset, messages, thinking_messages, web_searches, started)
SELECT
    concat('tally.chat', partition), organization_id, day, 'user', actor_id, 'chat', 'web',
    if(cityHash64(h, 11, i) % 4 = 0,
        reinterpretAsUUID(sipHash128('project', toUInt64(pow(200, (cityHash64(h, 12, i) % 1000) / 1000)))),
        toUUID('00000000-0000-0000-0000-000000000000')),
    reinterpretAsUUID(sipHash128(person, if(cityHash64(h, 13, i) % 5 = 0, 0, h) + i)), log_offset,
    1 + cityHash64(h, 14, i) % 20, cityHash64(h, 15, i) % 3, cityHash64(h, 16, i) % 2, 1
FROM doings ARRAY JOIN range(if(product = 'chat', 1 + cityHash64(h, 17) % 3, cityHash64(h, 17) % 2)) AS i;

-- name: file
INSERT INTO file_cells (source, organization_id, day, actor_type, actor_id, product, file_id, log_offset, uploads)
SELECT concat('tally.chat', partition), organization_id, day, 'user', actor_id, 'chat',
    reinterpretAsUUID(sipHash128('file', h)), log_offset, 1
FROM doings WHERE cityHash64(h, 18) % 10 = 0;

-- name: project
INSERT INTO project_cells (source, organization_id, day, actor_type, actor_id, product, project_id, log_offset, created, used)
SELECT concat('tally.project', partition), organization_id, day, 'user', actor_id, 'chat',
    reinterpretAsUUID(sipHash128('project', toUInt64(pow(200, (cityHash64(h, 19) % 1000) / 1000)))), log_offset,
    cityHash64(h, 20) % 100 = 0, 1
FROM doings WHERE cityHash64(h, 21) % 5 = 0;

-- name: artifact
INSERT INTO artifact_cells (source, organization_id, day, actor_type, actor_id, product, artifact_type, artifact_id,
    log_offset, created, shared)
SELECT concat('tally.artifact', partition), organization_id, day, 'user', actor_id,
    if(product IN ('claude_code', 'cowork'), product, 'chat'), ['document', 'code', 'html'][cityHash64(h, 22) % 3 + 1],
    reinterpretAsUUID(sipHash128('artifact', h)), log_offset, 1, cityHash64(h, 23) % 4 = 0
FROM doings WHERE cityHash64(h, 24) % 7 = 0;

-- name: connector
INSERT INTO connector_cells (source, organization_id, day, actor_type, actor_id, product, surface, kind, name, auth_mode,
    session_id, log_offset, read_calls, write_calls, uses)
SELECT concat('tally.connector', partition), organization_id, day, 'user', actor_id, product,
    if(product = 'office_agent', 'excel', ''),
    ['connector', 'connector', 'skill', 'plugin'][cityHash64(h, 25, i) % 4 + 1] AS k,
    concat(k, '-', toString(toUInt64(pow(150, (cityHash64(h, 26, i) % 1000) / 1000)))),
    if(cityHash64(h, 27) % 3 = 0, 'managed', 'individual'), reinterpretAsUUID(sipHash128('session', h)), log_offset,
    cityHash64(h, 28, i) % 9 AS reads, cityHash64(h, 29, i) % 3 AS writes, reads + writes
FROM doings ARRAY JOIN range(cityHash64(h, 30) % 3) AS i;

-- name: session
INSERT INTO session_cells (source, organization_id, day, actor_type, actor_id, product, surface, session_id, log_offset,
    started, messages, tool_uses, actions, lines_added, lines_removed, commits, pull_requests, edit_accepted, edit_rejected)
SELECT concat('tally.session', partition), organization_id, day, 'user', actor_id, product,
    if(product = 'office_agent', 'excel', ''), reinterpretAsUUID(sipHash128('session', h)), log_offset, 1,
    1 + cityHash64(h, 31) % 30, cityHash64(h, 32) % 40, cityHash64(h, 33) % 9, cityHash64(h, 34) % 500,
    cityHash64(h, 35) % 200, cityHash64(h, 36) % 3, cityHash64(h, 37) % 10 = 0, cityHash64(h, 38) % 20, cityHash64(h, 39) % 5
FROM doings WHERE product != 'chat';
