-- Posts the lines of a file in turn, over and over; prints one JSON line: percentiles, status codes, errors.
local turn, requests = 0, {}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Purpose-Of-Use"] = "healthcare"
local token = os.getenv("BENCH_TOKEN")
if token and token ~= "" then wrk.headers["Authorization"] = "Bearer " .. token end

local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args)
  statuses = {}
  for body in io.lines(os.getenv("BENCH_BODY")) do
    table.insert(requests, wrk.format(nil, nil, nil, body))
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
function response(status, headers, body)
  local key = tostring(status)
  statuses[key] = (statuses[key] or 0) + 1
end

function done(summary, latency, requests)
  local counts = {}
  for _, thread in ipairs(threads) do
    for key, n in pairs(thread:get("statuses")) do counts[key] = (counts[key] or 0) + n end
  end
  local parts = {}
  for key, n in pairs(counts) do table.insert(parts, string.format('"%s":%d', key, n)) end
  local e = summary.errors
  print(string.format(
    'RESULT {"p50_ms":%.3f,"p99_ms":%.3f,"mean_ms":%.3f,"requests":%d,"seconds":%.3f,"statuses":{%s},"socket_errors":%d,"timeouts":%d}',
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.mean / 1000, summary.requests,
    summary.duration / 1e6, table.concat(parts, ","), e.connect + e.read + e.write, e.timeout))
end
