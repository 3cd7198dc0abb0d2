/**
 * Figures as people read them.
 *
 * The package has the same functions in `llmos_jupyter/units.py`; `tests/data/views.json` holds both to the same words.
 */

const LARGER = ['kB', 'MB', 'GB', 'TB'];

/** Bytes in decimal units: 512 bytes, 90 kB, 1.1 GB. */
export function bytes(count: number): string {
  if (count < 1000) {
    return `${count.toFixed(0)} bytes`;
  }
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < LARGER.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(value < 9.95 || unit >= 2 ? 1 : 0)} ${LARGER[unit]}`;
}

/** A measured or expected time in seconds: 0.42 s, 3.1 s, 25 s, 2 min 5 s. */
export function seconds(count: number): string {
  if (count < 0.995) {
    return `${Math.max(0, count).toFixed(2)} s`;
  }
  return count < 9.95 ? `${count.toFixed(1)} s` : elapsed(count + 0.5);
}

/** Time that goes by, to the second: 25 s, 2 min 5 s, 3 h 4 min. */
export function elapsed(count: number): string {
  const whole = Math.max(0, Math.floor(count));
  return whole >= 60 && whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : coarse(whole);
}

/** A wait or an age in seconds, in words that change seldom: 40 s, 3 min, 2 h 5 min, 4 days. */
export function about(count: number): string {
  const whole = Math.max(0, Math.floor(count));
  return whole < 60 ? `${whole - (whole % 5)} s` : coarse(whole);
}

/** How long ago something was; of what is still to come, by a clock that was put back, "just now". */
export function ago(count: number): string {
  return count < 5 ? 'just now' : `${about(count)} ago`;
}

function coarse(whole: number): string {
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) {
    return `${Math.floor(hours / 24)} days`;
  }
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

/** A figure with one digit after the point while it is small: 13, 8.4. */
export function rate(value: number): string {
  return value.toFixed(value < 9.95 ? 1 : 0);
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/**
 * At most this many characters of a text, on one line, with "…" for the rest. Only its beginning is looked at, and no
 * character is cut in half.
 */
export function shortened(text: string, length: number): string {
  const beginning = [...text.slice(0, 8 * length)].slice(0, 4 * length).join('');
  const flat = [...beginning.replace(/\s+/g, ' ').trim()];
  const cut = flat.length > length || text.length > beginning.length;
  return cut ? `${flat.slice(0, length - 1).join('')}…` : flat.join('');
}

/** The size of a model as it stands in its name: 1.5B of qwen2.5-coder-1.5b; without one, the name. */
export function modelSize(name: string): string {
  const size = /(?:^|[-_ ])(\d+(?:\.\d+)?)b(?:[-_. ]|$)/i.exec(name);
  return size ? `${size[1]}B` : name;
}
