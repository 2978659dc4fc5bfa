-- Remember the first attempt of a tuple, unless one is remembered.
-- KEYS: tuple.  ARGV: now (ms), time to live (ms), the tuple for people.
-- Returns 1 when it was new.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
end
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'l', ARGV[1], 'n', 0, 't', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
