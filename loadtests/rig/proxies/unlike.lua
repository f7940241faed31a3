-- Requests of which no two have the same cookie and path: nothing that was read before helps.
local number = 0

request = function()
  number = number + 1
  wrk.headers["Cookie"] = string.format("session=%016x; theme=dark; consent=yes", number)
  return wrk.format("GET", string.format("/?page=%d", number))
end
