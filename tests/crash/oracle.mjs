// Knows from outside what must be in the destination: each request's rows carry numbers of their own, and the
// oracle remembers what the server said to each request.
//
//   acknowledged   200                     every row is there exactly once
//   refused        503, 429                no row is there ("with these, nothing was stored")
//   in doubt       no answer, another 5xx  all rows are there once, or none is: a request is one record
import assert from 'node:assert/strict';

// `wide` has few rows and gets many columns at a time.
export const tables = ['t0', 't1', 't2', 'wide'];

const kAcknowledged = 1;
const kRefused = 2;
const kInDoubt = 3;

export class Oracle {
  constructor() {
    this.next = 0;
    this.requests = []; // { table, first, count, outcome }
    this.seen = 0; // the most rows that any query has shown
    this.shown = []; // { table, id } that wait=true has shown, the last ones
  }

  // Numbers for a request's rows.
  begin(table, count) {
    const asked = { table, first: this.next, count, outcome: kInDoubt };
    this.next += count;
    this.requests.push(asked);
    return asked;
  }

  answered(asked, status) {
    if (status === 200) asked.outcome = kAcknowledged;
    else if (status === 503 || status === 429) asked.outcome = kRefused;
    else assert.ok(status >= 500, `an insert was answered ${status}`);
  }

  was_shown(asked) {
    this.shown.push({ table: asked.table, id: asked.first }, { table: asked.table, id: asked.first + asked.count - 1 });
    if (this.shown.length > 200) this.shown.splice(0, this.shown.length - 200);
  }

  count(outcome) {
    return this.requests.reduce((n, r) => n + (r.outcome === outcome ? r.count : 0), 0);
  }
  get acknowledged() { return this.count(kAcknowledged); }
  get refused() { return this.count(kRefused); }
  get in_doubt() { return this.count(kInDoubt); }

  // `found`: for each table the ids that are in it, in any order. Requests in flight must have ended.
  compare(found) {
    const where = new Int8Array(this.next).fill(-1);
    const times = new Uint16Array(this.next);
    const report = { rows: 0, by_table: {}, lost: [], doubled: [], torn: [], refused_but_there: [], strange: [] };
    tables.forEach((table, index) => {
      report.by_table[table] = found[table].length;
      for (const id of found[table]) {
        report.rows += 1;
        if (!(id >= 0 && id < this.next) || !Number.isInteger(id)) { report.strange.push(id); continue; }
        if (times[id] > 0) report.doubled.push(id);
        times[id] += 1;
        where[id] = index;
      }
    });
    for (const { table, first, count, outcome } of this.requests) {
      let there = 0;
      for (let id = first; id < first + count; id += 1) {
        if (times[id] === 0) {
          if (outcome === kAcknowledged) report.lost.push(id);
        } else {
          there += 1;
          if (tables[where[id]] !== table) report.strange.push(id);
        }
      }
      if (outcome === kInDoubt && there !== 0 && there !== count) report.torn.push(first);
      if (outcome === kRefused && there !== 0) report.refused_but_there.push(first);
    }
    return report;
  }
}

export function assert_clean(report, context) {
  for (const what of ['lost', 'doubled', 'torn', 'refused_but_there', 'strange']) {
    const ids = report[what];
    assert.equal(ids.length, 0, `${context}: ${what} ${ids.length}: ${ids.slice(0, 20).join(', ')}${ids.length > 20 ? ' …' : ''}`);
  }
}
