-- Take one node off the list of its role.
-- KEYS: due times, nodes.  ARGV: id.
-- Returns how many there were, 0 or 1.
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])
