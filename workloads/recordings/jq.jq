# jq.jq - what jq is used for, recorded: a document that is built, grouped, rewritten, printed and parsed again.
# A value of jq is shared until it is written to, by a count of its references.
def draw($seed; $n): ($seed * 7919 + 104729) % 1000003 % $n;

[range(2500) | . as $i | {
    id: $i, user: "user\(draw($i; 50))", price: (draw($i; 10000) / 100),
    tags: [range(draw($i; 4)) | "tag\(. * 7 % 11)"], address: {city: "city\(draw($i; 20))", zip: (draw($i * 3; 90000) + 10000)}
}]
| . as $orders
| {
    by_user: (group_by(.user) | map({key: .[0].user, value: {orders: length, total: (map(.price) | add)}}) | from_entries),
    by_tag:  (reduce $orders[] as $o ({}; reduce $o.tags[] as $t (.; .[$t] += 1))),
    cities:  ([$orders[].address | select(.zip > 40000) | .city] | unique),
    dear:    ([$orders[] | select(.price > 90) | {id, price, where: "\(.address.city), \(.address.zip)"}] | sort_by(-.price)),
    paths:   ([$orders[:100] | paths(type == "number")] | length),
    again:   ($orders | tojson | fromjson | map(.user |= ascii_upcase | del(.tags)) | length),
    words:   ($orders | map(.user + " " + .address.city | split(" ") | join("-") | gsub("user"; "u")) | unique | length)
  }
