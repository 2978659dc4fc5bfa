-- Put a pattern on a list or take it off, and say which kinds of patterns the list has.
-- KEYS: list.  ARGV: pattern, letter of its kind, entry ("": take it off).
-- A kind stays named until the list is empty; a list without names, from an old release
-- or another program, gets the name of all, "*".
if ARGV[3] == '' then
    redis.call('HDEL', KEYS[1], ARGV[1])
    if redis.call('HLEN', KEYS[1]) == 1 then
        redis.call('HDEL', KEYS[1], '#')
    end
    return
end
local kinds = redis.call('HGET', KEYS[1], '#')
if not kinds then
    kinds = redis.call('EXISTS', KEYS[1]) == 1 and '*' or ''
end
if kinds ~= '*' and not string.find(kinds, ARGV[2], 1, true) then
    kinds = kinds .. ARGV[2]
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], '#', kinds)
