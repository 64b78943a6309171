-- words.lua - strings, tables, closures, garbage: what Lua programs do.

local function queens(n)
    local count, columns, up, down = 0, {}, {}, {}
    local function place(row)
        if row > n then
            count = count + 1
            return
        end
        for c = 1, n do
            if not (columns[c] or up[row + c] or down[row - c]) then
                columns[c], up[row + c], down[row - c] = true, true, true
                place(row + 1)
                columns[c], up[row + c], down[row - c] = nil, nil, nil
            end
        end
    end
    place(1)
    return count
end

local function words(text)
    local seen, order = {}, {}
    for word in text:lower():gmatch("%w+") do
        if not seen[word] then
            seen[word] = 0
            order[#order + 1] = word
        end
        seen[word] = seen[word] + 1
    end
    table.sort(order, function(a, b)
        return seen[a] > seen[b] or seen[a] == seen[b] and a < b
    end)
    return order, seen
end

local size = tonumber(arg[1])
print("queens", queens(size))
local parts = {}
for i = 1, size * 100 do
    parts[i] = ("word%x"):format(i * i % 97):rep(i % 3 + 1, " ")
end
local order, seen = words(table.concat(parts, ", "))
for i = 1, 10 do
    print(order[i], seen[order[i]])
end
local sum = 0.0
for i = 1, size * 1000 do
    sum = sum + math.sin(i) * math.sqrt(i) // 1
end
print(("%.6f %d"):format(sum, math.tointeger(2 ^ 53)))
local co = coroutine.wrap(function()
    for i = 1, 5 do coroutine.yield(i * i) end
end)
print(co(), co(), co(), pcall(error, { code = 1 }) and "no" or "caught")
