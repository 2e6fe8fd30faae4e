// Numbers and times as people read them.

const whole = new Intl.NumberFormat('en-US');
export const number = (value: number) => whole.format(value);
// What nobody knows is a dash.
export const numberOr = (value: number | null) => (value === null ? '–' : number(value));

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let at = -1;
  let left = value;
  while (left >= 1024 && at < units.length - 1) {
    left /= 1024;
    ++at;
  }
  return `${left < 10 ? left.toFixed(1) : Math.round(left)} ${units[at]}`;
}

// What comes in a second; undefined or null is what nobody knows.
export const perSecond = (value: number | null | undefined) => (value == null ? '–' : value > 0 && value < 10 ? value.toFixed(1) : number(Math.round(value)));
export const bytesPerSecond = (value: number | null | undefined) => (value == null ? '–' : bytes(Math.round(value)));

const clockTime = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
export const timeOfDay = (ms: number) => clockTime.format(ms);

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const steps: [Intl.RelativeTimeFormatUnit, number][] = [['second', 60], ['minute', 60], ['hour', 24], ['day', 30], ['month', 12], ['year', Infinity]];

// "3 minutes ago", "in 2 days".
export function ago(iso: string, now = Date.now()): string {
  let left = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of steps) {
    if (Math.abs(left) < size) return Math.abs(left) < 5 && unit === 'second' ? 'just now' : relative.format(Math.round(left), unit);
    left /= size;
  }
  return iso;
}

// NULL in the dashboard: the same everywhere, and apart from the text "NULL" by how it is drawn.
export const kNull = 'NULL';
// A time of a row, as precise as it came; where its zone is said elsewhere, without it.
export const timeText = (text: string, zone = ' UTC') => text.replace('T', ' ').replace(/Z$/, zone);
export const exact = (iso: string) => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
