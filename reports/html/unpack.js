// The reverse of packed() in reports/packed_json.cc: what large pages hold instead of plain JSON.
const unpacked = (json) => {
  if (!Array.isArray(json)) return json;
  const [keys, shared, root] = json, opened = [];
  const open = (value) => {
    if (!Array.isArray(value)) return value;
    const [kind, ...rest] = value;
    if (kind === 0) return rest.map(open);
    if (kind === -2) return (opened[rest[0]] = opened[rest[0]] || [open(shared[rest[0]])])[0];
    if (kind > 0) return Object.fromEntries(keys[kind - 1].map((key, i) => [key, open(rest[i])]));
    const [shape, ...columns] = rest, lists = columns.map(open);  // -1: objects of one shape, a list a key
    return lists[0].map((_, i) => Object.fromEntries(keys[shape].map((key, k) => [key, lists[k][i]])));
  };
  return open(root);
};
