/** Figures in words. */

/** `0.84 s`, `12.3 s`, `2 min 5 s`, `3 h 4 min`. */
export function seconds(value: number): string {
  if (value < 1) {
    return `${Math.max(0, value).toFixed(2)} s`;
  }
  if (value < 60) {
    return `${value.toFixed(1)} s`;
  }
  return duration(value);
}

/** In whole seconds: `12 s`, `2 min 5 s`, `3 h 4 min`. */
export function duration(value: number): string {
  const whole = Math.max(0, Math.round(value));
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(value: number): string {
  let left = value;
  for (const unit of ['B', 'kB', 'MB']) {
    if (left < 1000) {
      return `${left.toFixed(left < 10 && unit !== 'B' ? 1 : 0)} ${unit}`;
    }
    left /= 1000;
  }
  return `${left.toFixed(1)} GB`;
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
