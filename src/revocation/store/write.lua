-- Every write to the store: the state and its entry in the log, or neither.
-- What lies where is described in docs/redis.md.
local head, state, ends, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local op, drawn, kept, name, payload, ending = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local source, since = ARGV[7], ARGV[8]

local format = redis.call('HGET', head, 'format')
if format and format ~= '1' then
  return redis.error_reply('FORMAT the store is of format ' .. format .. ', expected 1')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- What is over leaves, a little with each write.
local over = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 64)
for _, old in ipairs(over) do
  redis.call('HDEL', state, old)
  redis.call('ZREM', ends, old)
end

local function append(what, value)
  if not format then
    redis.call('HSET', head, 'format', '1', 'generation', drawn, 'number', '0', 'last', '0-0')
    format = '1'
  end
  local known = redis.call('HMGET', head, 'generation', 'last')
  local number = redis.call('HINCRBY', head, 'number', 1)
  local id = redis.call('XADD', log, 'MAXLEN', '~', kept, '*',
    'g', known[1], 'x', drawn, 'n', number, 'p', known[2], 'op', what, 'k', name, 'v', value)
  redis.call('HSET', head, 'last', id, 'drawn', drawn)
  return {'written', number, id}
end

-- Nothing changes, but `WAIT` has something to wait for: who writes again may do so because too few
-- replicas had it the first time.
local function known_already()
  redis.call('HSET', head, 'format', '1')
  return {'known', 0, ''}
end

local old = redis.call('HGET', state, name)
local value = old and cjson.decode(old) or {}

-- An entry stays as long as the longest of what was written under its name.
local function keep()
  local score = redis.call('ZSCORE', ends, name)
  if ending == '' or (old and not score) then
    redis.call('ZREM', ends, name)
  elseif not score or tonumber(score) < tonumber(ending) then
    redis.call('ZADD', ends, ending, name)
  end
end

local function put()
  local text = cjson.encode(value)
  redis.call('HSET', state, name, text)
  keep()
  return append('put', text)
end

local function later(one, other)
  return one == nil or (other ~= nil and one >= other)
end

-- Whether a strike strikes all that another one does, for as long.
local function covers(one, other)
  return later(one.before, other.before) and later(one['until'], other['until'])
end

-- Whether a strike is one of those that were last taken back.
local function taken_back(strike)
  local cleared = value.cleared
  return cleared and strike.at <= cleared.at
    and (not cleared.source or cleared.source == strike.source)
    and (not cleared.since or strike.at >= cleared.since)
end

if op == 'strike' then
  local strike = cjson.decode(payload)
  if taken_back(strike) then
    return {'cleared', 0, ''}
  end
  local strikes = {}
  for _, known in ipairs(value.strikes or {}) do
    if known.source == strike.source and covers(known, strike) then
      return known_already()
    end
    if not known['until'] or known['until'] > now then
      strikes[#strikes + 1] = known
    end
  end
  strikes[#strikes + 1] = strike
  if #strikes > 16 then
    -- One that is covered by a later one is the first to go.
    for at = 1, #strikes - 1 do
      if covers(strikes[#strikes], strikes[at]) then
        table.remove(strikes, at)
        break
      end
    end
  end
  if #strikes > 16 then
    return redis.error_reply('FULL sixteen revocations stand under this name')
  end
  value.strikes = strikes
  return put()
end

if op == 'clear' then
  local strikes, cleared = {}, false
  for _, known in ipairs(value.strikes or {}) do
    local meant = (source == '' or known.source == source) and (since == '' or known.at >= tonumber(since))
    if meant then
      cleared = true
    else
      strikes[#strikes + 1] = known
    end
  end
  if not cleared then
    return {'nothing', 0, ''}
  end
  value.strikes = #strikes > 0 and strikes or nil
  value.cleared = {at = now, ['until'] = tonumber(ending), by = payload,
    source = source ~= '' and source or nil, since = tonumber(since)}
  if not value.strikes then
    -- Nothing stands any more that would have to stay for longer.
    redis.call('ZADD', ends, ending, name)
  end
  return put()
end

if op == 'event' then
  local event = cjson.decode(payload)
  local events = {}
  local newer = 0
  for _, known in ipairs(value.events or {}) do
    if known == payload then
      return known_already()
    end
    local other = cjson.decode(known)
    if other.type == event.type and other.time > event.time then
      newer = newer + 1
    end
    events[#events + 1] = known
  end
  -- Of each type the three newest say all that the older ones do.
  if newer < 3 then
    events[#events + 1] = payload
    local count = 0
    local oldest, oldest_time
    for at, known in ipairs(events) do
      local other = cjson.decode(known)
      if other.type == event.type then
        count = count + 1
        if not oldest or other.time < oldest_time then
          oldest, oldest_time = at, other.time
        end
      end
    end
    if count > 3 then
      table.remove(events, oldest)
    end
    if source ~= 'passing' then
      value.events = events
      redis.call('HSET', state, name, cjson.encode(value))
      keep()
    end
  end
  return append('event', payload)
end

-- `beat` and `accept` change nothing in the state.
return append(op, payload)
