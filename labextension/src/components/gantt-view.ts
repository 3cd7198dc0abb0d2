/** Which stretch of time the schedule shows: it follows "now" until somebody looks elsewhere. */
import { useCallback, useState } from 'react';

/** Seconds that are shown at the least and at the most. */
const NARROWEST = 1;
const WIDEST = 14 * 86_400;
/** Where "now" stands while it is followed: more of the past than of the future. */
const NOW_AT = 0.65;

export interface IView {
  from: number;
  to: number;
  following: boolean;
  /** Show `factor` times as much time; `at` (0 to 1 of the width) stays where it is. */
  zoom: (factor: number, at?: number) => void;
  /** Go on by this share of the width: to the future, or less than nothing to the past. */
  pan: (share: number) => void;
  follow: () => void;
}

export function useView(now: number, width: number): IView {
  const [chosen, setChosen] = useState<{ seconds: number | null; from: number | null }>({
    seconds: null,
    from: null
  });
  const span = clamp(chosen.seconds ?? width);
  const from = chosen.from ?? now - NOW_AT * span;
  const zoom = useCallback(
    (factor: number, at = NOW_AT) =>
      setChosen(old => {
        const before = clamp(old.seconds ?? width);
        const seconds = clamp(before * factor);
        // While it follows, "now" is what stays where it is.
        return { seconds, from: old.from === null ? null : old.from + (before - seconds) * at };
      }),
    [width]
  );
  const pan = useCallback(
    (share: number) =>
      setChosen(old => {
        const seconds = clamp(old.seconds ?? width);
        return { seconds, from: (old.from ?? now - NOW_AT * seconds) + share * seconds };
      }),
    [now, width]
  );
  const follow = useCallback(() => setChosen(old => ({ ...old, from: null })), []);
  return { from, to: from + span, following: chosen.from === null, zoom, pan, follow };
}

function clamp(seconds: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, Number.isFinite(seconds) ? seconds : 300));
}
