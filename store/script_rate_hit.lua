-- Take from a bucket (GCRA): move its theoretical arrival time on by the cost's share.
-- KEYS: bucket.  ARGV: now, share of the cost, period (microseconds each).
-- Returns the new time. It never lies more than two periods ahead, so that whatever was
-- let in, the bucket opens again.
local now, share, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') or 0, now)
at = math.min(at + share, now + 2 * period)
local text = string.format('%.0f', at)
redis.call('SET', KEYS[1], text, 'PX', math.ceil((at - now) / 1000) + 1000)
return text
