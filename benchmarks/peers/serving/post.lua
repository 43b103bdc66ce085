-- Posts one file again and again, and prints one line of JSON with everything that wrk counted.
-- wrk --script post.lua URL -- FILE CONTENT_TYPE

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = args[2]
  file:close()
end

function done(summary, latency, requests)
  local cpu = os.clock()  -- of wrk, before the lines below take their time
  local values, counts = {}, {}
  for index = 1, #latency do
    local value, count = latency(index)
    values[index], counts[index] = string.format("%d", value), string.format("%d", count)
  end
  local errors = {}
  for kind, number in pairs(summary.errors) do
    errors[#errors + 1] = string.format('"%s": %d', kind, number)
  end
  print(string.format(
    '{"requests": %d, "duration_us": %d, "cpu_seconds": %.6f, "errors": {%s}, "latency_us": [%s], "counts": [%s]}',
    summary.requests, summary.duration, cpu, table.concat(errors, ", "),
    table.concat(values, ", "), table.concat(counts, ", ")
  ))
end
