-- A tuple passed: count it and its pool, renew both.
-- KEYS: tuple, counter of the pool.  ARGV: now (ms), time to live (ms), the tuple for people.
-- Returns how often the tuple passed.
redis.call('HSETNX', KEYS[1], 'f', ARGV[1])
redis.call('HSET', KEYS[1], 'l', ARGV[1], 't', ARGV[3])
local passes = redis.call('HINCRBY', KEYS[1], 'n', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return passes
