// What a receiver makes of bodies, and what Postgres says that they must hold, asked in other words than bluetap asks
// it. Messages: "C" and the tables as JSON; "E", the number of a table and a piece of a COPY of what is expected of
// its rows, a row twice when it is updated; "B", a line of the event and a body.

const integer = s => {
  const n = BigInt(s), safe = BigInt(Number.MAX_SAFE_INTEGER);
  return n > safe || n < -safe ? JSON.stringify(s) : String(Number(n));
};
const float = s => JSON.stringify(isFinite(Number(s)) ? Number(s) : s);

// Years that Date cannot hold are moved by whole periods of its calendar.
const period = {years: 400, milliseconds: 146097n * 86400000n};
const instant = s => {
  if (s.endsWith('Infinity')) return JSON.stringify(s.toLowerCase());
  const [, sign, seconds, fraction] = /^(-?)(\d+)\.?(\d*)$/.exec(s);
  let micros = BigInt(sign + seconds + fraction.padEnd(6, '0'));
  let ms = micros / 1000n - (micros < 0n && micros % 1000n ? 1n : 0n);
  let years = 0;
  while (ms > 8640000000000000n) ms -= period.milliseconds, years += period.years;
  const iso = new Date(Number(ms)).toISOString();
  return JSON.stringify(years ? iso.replace(/^\+\d+/, y => '+' + String(Number(y) + years).padStart(6, '0')) : iso);
};

// Numbers that JavaScript could not hold are made strings before it reads them.
const token = /"(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?([eE][-+]?\d+)?/g;
const json = s => JSON.stringify(JSON.parse(s.replace(token, (number, fraction, exponent) => {
  if (number[0] === '"') return number;
  if (fraction === undefined && exponent === undefined) return integer(number);
  return isFinite(Number(number)) ? number : JSON.stringify(number);
})));

// An array is given by its dimensions and its elements in a row.
const array = (s, element) => {
  const {d, e} = JSON.parse(s);
  let rows = e.map(x => x === null ? 'null' : element(x));
  if (!d.length) return '[]';
  for (const size of d.reverse()) {
    const outer = [];
    for (let i = 0; i < rows.length; i += size) outer.push('[' + rows.slice(i, i + size).join() + ']');
    rows = outer;
  }
  return rows[0];
};

const scalar = {text: JSON.stringify, bool: s => s, integer, float, instant, json};
const kind = name => {
  if (!name.startsWith('array ')) return scalar[name];
  const element = kind(name.slice('array '.length));
  return s => array(s, element);
};

let tables, events;
const mismatches = [];
const counted = {bodies: 0, values: 0, rows: 0, mismatches};
const mismatch = m => { if (mismatches.length < 10) mismatches.push(m); };

const copyEscapes = {b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v'};
const field = s => {
  if (s === '\\N') return null;
  if (s.includes('\\')) s = s.replace(/\\(.)/g, (_, c) => copyEscapes[c] ?? c);
  return /^[\x00-\x7f]*$/.test(s) ? s : text(Buffer.from(s, 'latin1'));
};

const expect = (table, piece) => {
  const lines = (table.rest + piece.toString('latin1')).split('\n');
  table.rest = lines.pop();
  for (const line of lines) {
    const [id, ...sources] = line.split('\t').map(field);
    const want = sources.map((s, i) => s === null ? 'null' : kind(table.columns[i].kind)(s));
    if (!table.expected.has(id)) table.expected.set(id, []);
    table.expected.get(id).push({sources, want, seen: false});
    counted.rows++;
  }
};

// compare holds a value of a body against a version of its row.
const compare = (event, table, value, version) => {
  const keys = JSON.stringify(Object.keys(value));
  if (keys !== table.wantKeys) return mismatch({event, keys, want: table.wantKeys});
  const row = table.expected.get(value[table.id])?.[version];
  if (!row) return mismatch({event, id: value[table.id], version, got: 'a row that is not expected'});
  row.seen = true;
  table.columns.forEach(({name, kind}, i) => {
    const got = JSON.stringify(value[name]);
    if (got !== row.want[i]) {
      mismatch({event, id: value[table.id], version, column: name, kind, source: row.sources[i], want: row.want[i], got});
    }
  });
  counted.values++;
};

// around is a piece of a body from shortly before an offset.
const around = (s, at) => s.slice(Math.max(0, at - 100), at + 100);

const check = message => {
  const line = message.indexOf(10);
  const event = message.toString('latin1', 1, line), body = message.subarray(line + 1);
  const parsed = JSON.parse(text(body)), again = Buffer.from(JSON.stringify(parsed));
  if (!again.equals(body)) {
    const [want, got] = [again.toString('latin1'), body.toString('latin1')];
    let at = 0;
    while (want[at] === got[at]) at++;
    mismatch({event, id: (parsed.currentValue ?? parsed.previousValue).id, offset: at, body: around(got, at),
      again: around(want, at)});
  }
  const {table, previous, current} = events[event];
  if (previous >= 0) compare(event, tables[table], parsed.previousValue, previous);
  if (current >= 0) compare(event, tables[table], parsed.currentValue, current);
  counted.bodies++;
};

function handle(message) {
  switch (String.fromCharCode(message[0])) {
    case 'C':
      ({tables, events} = JSON.parse(text(message.subarray(1))));
      for (const t of tables) Object.assign(t, {rest: '', expected: new Map(), wantKeys: JSON.stringify(t.keys)});
      break;
    case 'E':
      expect(tables[message[1]], message.subarray(2));
      break;
    case 'B':
      check(message);
  }
}

function finish() {
  for (const table of tables) {
    for (const [id, versions] of table.expected) {
      versions.forEach((row, version) => { if (!row.seen) mismatch({id, version, got: 'no body'}); });
    }
  }
  return JSON.stringify(counted);
}
