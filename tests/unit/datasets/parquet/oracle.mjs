// What two other programs write and read: DuckDB (@duckdb/node-api) and Rust's parquet crate (parquet-wasm, apache-arrow).
//
//   node oracle.mjs MODULES write FOLDER        writes files of many encodings, codecs and both page versions
//   node oracle.mjs MODULES read FILE           prints a line of JSON a column: {"name": "a:b", "rows": [...]}
//
// MODULES is a folder node_modules that has them. Bytes and texts are printed in hex, integers as texts; "?" is a value
// of a type that is not compared. Names of fields that end in ':' are the file's own.
import fs from 'node:fs';
import { createRequire } from 'node:module';
const [modules, verb, place] = process.argv.slice(2);
const require = createRequire(`${modules}/x.js`);
const { DuckDBInstance } = require('@duckdb/node-api');
const db = await (await DuckDBInstance.create(':memory:')).connect();

const hex = (text) => Buffer.from(text, 'utf8').toString('hex');
function leaf(v) {
  if (v === null || v === undefined) return null;
  if (typeof v === 'bigint') return String(v);
  if (typeof v === 'boolean') return v ? '1' : '0';
  if (typeof v === 'number') return Number.isInteger(v) && !Object.is(v, -0) ? String(v) : Number.isFinite(v) ? v : '?';
  if (typeof v === 'string') return hex(v);
  if (v.bytes !== undefined) return Buffer.from(v.bytes).toString('hex');
  return v.toDouble ? v.toDouble() : '?';
}
function value(v, names) {
  if (v === null || v === undefined) return null;
  if (v.items !== undefined) return v.items.map((x) => value(x, names));
  if (names.length === 0) return leaf(v);
  return v.entries !== undefined && !Array.isArray(v.entries) ? value(v.entries[names[0]], names.slice(1)) : '?';
}
// Of a value and of what is in it: the fields of structures, also in lists.
function paths(type) {
  if (type.valueType && !type.keyType) return paths(type.valueType);
  if (!type.entryNames) return [[]];
  return type.entryNames.flatMap((name, i) => paths(type.entryTypes[i]).map((path) => [name, ...path]));
}

async function read(file) {
  const result = await db.runAndReadAll(`SELECT * FROM read_parquet('${file}')`);
  const rows = result.getRows(), names = result.columnNames(), types = result.columnTypes();
  for (const [c, name] of names.entries())
    for (const path of paths(types[c]))
      console.log(JSON.stringify({ name: [name, ...path].join(':'), rows: rows.map((row) => value(row[c], path)) }));
}

async function writeDuck(folder) {
  await db.run(`CREATE TABLE t AS SELECT i AS id, (i*7919)%1000 - 500 AS k, sin(i) AS d, sin(i)::FLOAT AS f, i%3=0 AS b,
    CASE WHEN i%11=0 THEN NULL ELSE 'p-'||(i//10)||repeat('x', (i%37)::INT) END AS s, (i%200)::UTINYINT u8,
    CASE WHEN i%17=0 THEN NULL ELSE range(i%4) END AS l, (4294967295-i)::UINTEGER u32, (i/100.0)::DECIMAL(10,2) AS dec2,
    {'bytes': ('\\xFF'||i)::BLOB, 'path': CASE WHEN i%2=0 THEN 'a'||i END} AS image,
    [{'x': i, 'c': 'q'||i}, {'x': NULL, 'c': 'z'}] boxes FROM range(5000) r(i)`);
  for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd'])
    for (const version of ['V1', 'V2'])
      await db.run(`COPY t TO '${folder}/duckdb-${codec}-${version}.parquet'
        (FORMAT parquet, COMPRESSION ${codec}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE 2048)`);
}

async function writeRust(folder) {
  const arrow = require('apache-arrow'), p = await import(require.resolve('parquet-wasm/node'));
  const N = 3000, of = (make) => Array.from({ length: N }, (_, i) => make(i));
  const table = new arrow.Table({
    ints: arrow.vectorFromArray(BigInt64Array.from(of((i) => BigInt((i * 7919) % 1000) - 500n * BigInt(i % 3)))),
    i32: arrow.vectorFromArray(Int32Array.from(of((i) => (i * 2654435761) | 0))),
    dbl: arrow.vectorFromArray(Float64Array.from(of((i) => Math.sin(i)))),
    f32: arrow.vectorFromArray(Float32Array.from(of((i) => Math.sin(i)))),
    str: arrow.vectorFromArray(of((i) => (i % 11 ? `prefix-${Math.floor(i / 10)}-${'x'.repeat(i % 37)}` : null)), new arrow.Utf8()),
    cat: arrow.vectorFromArray(of((i) => ['joy', 'fear', 'anger'][i % 3]), new arrow.Utf8()),
    bool: arrow.vectorFromArray(of((i) => (i % 13 ? i % 5 < 2 : null)), new arrow.Bool()),
    lists: arrow.vectorFromArray(of((i) => (i % 17 ? Array.from({ length: i % 4 }, (_, k) => k * i) : null)),
      new arrow.List(new arrow.Field('item', new arrow.Int32(), true))),
  });
  const write = (name, properties) => fs.writeFileSync(`${folder}/rust-${name}.parquet`,
    p.writeParquet(p.Table.fromIPCStream(arrow.tableToIPC(table, 'stream')), properties.build()));
  const { Compression: C, WriterVersion: V, Encoding: E, WriterPropertiesBuilder: Builder } = p;
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD'])
    for (const version of ['V1', 'V2'])
      write(`${codec}-${version}`, new Builder().setCompression(C[codec]).setWriterVersion(V[version])
        .setDataPageSizeLimit(4000).setMaxRowGroupSize(1024));
  let delta = new Builder().setCompression(C.ZSTD).setWriterVersion(V.V2).setDictionaryEnabled(false);
  for (const [column, encoding] of Object.entries({ ints: 'DELTA_BINARY_PACKED', i32: 'DELTA_BINARY_PACKED', str: 'DELTA_BYTE_ARRAY',
    cat: 'DELTA_LENGTH_BYTE_ARRAY', dbl: 'BYTE_STREAM_SPLIT', f32: 'BYTE_STREAM_SPLIT', bool: 'RLE' }))
    delta = delta.setColumnEncoding(column, E[encoding]);
  write('delta', delta);
}

if (verb === 'read') {
  await read(place);
} else {
  await writeDuck(place);
  await writeRust(place);
}
