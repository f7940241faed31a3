-- wrk -s post.lua URL -- BYTES: every request is a POST of so many bytes.
function init(arguments)
  wrk.method = "POST"
  wrk.body = string.rep("x", tonumber(arguments[1]))
end
