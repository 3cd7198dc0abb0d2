/** Figures as people read them. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in decimal units, three digits at the most: 1.53 GB, 640 MB. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Seconds in one or two units: 8 s, 3 min, 2 h 5 min, 4 d. Less than nothing, of clocks that differ, is nothing. */
export function seconds(count: number): string {
  const whole = Math.max(0, Math.round(count));
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  }
  return `${Math.floor(hours / 24)} d`;
}

/** A figure with one digit after the point while it is small: 13, 8.4. */
export function rate(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** The first so many characters of a text, without cutting one in half, with "…" for the rest. */
export function shortened(text: string, length: number): string {
  const flat = text
    .slice(0, 4 * length)
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...flat];
  const cut = characters.length > length || text.length > 4 * length;
  return cut ? `${characters.slice(0, length).join('')}…` : flat;
}

/** The size of a model as it stands in its name: 1.5B of qwen2.5-coder-1.5b; without one, the name. */
export function modelSize(name: string): string {
  const size = /(?:^|[-_ ])(\d+(?:\.\d+)?)b(?:[-_. ]|$)/i.exec(name);
  return size ? `${size[1]}B` : name;
}
