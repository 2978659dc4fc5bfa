-- The nodes of one role whose time to live has not ended, by Redis' clock.
-- KEYS: due times, nodes.  ARGV: most nodes.
-- Returns the encoded nodes, in the order of their ids.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'LIMIT', 0, ARGV[1])
if #ids == 0 then
    return {}
end
table.sort(ids)
local nodes = {}
for _, id in ipairs(ids) do
    local node = redis.call('HGET', KEYS[2], id)
    if node then
        nodes[#nodes + 1] = node
    end
end
return nodes
