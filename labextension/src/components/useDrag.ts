/** Dragging a row of a list of equal rows to another place, by mouse, pen or finger. */
import React, { useCallback, useEffect, useRef, useState } from 'react';

/** Pixels from an edge within which the list scrolls, and how far in each step. */
const EDGE = 28;
const STEP = 12;

export interface IDrag {
  /** The row that is dragged. */
  readonly from: number;
  /** It would stand before the row that is here now; the number of rows: last of all. */
  readonly to: number;
}

/**
 * `drag` while something is dragged; `start` is for the handle of a row. `onDrop` is called once at the end, not at all
 * if the drag was given up (Escape) or ends where it began.
 */
export function useDrag(
  list: React.RefObject<HTMLElement | null>,
  height: number,
  count: number,
  onDrop: (from: number, to: number) => void
): { drag: IDrag | null; start: (from: number, event: React.PointerEvent<HTMLElement>) => void } {
  const [drag, setDrag] = useState<IDrag | null>(null);
  const current = useRef<IDrag | null>(null);
  const drop = useRef(onDrop);
  const rows = useRef(count);
  const stop = useRef<() => void>(() => undefined);
  useEffect(() => {
    drop.current = onDrop;
    rows.current = count;
  });
  useEffect(() => () => stop.current(), []);

  const start = useCallback(
    (from: number, event: React.PointerEvent<HTMLElement>) => {
      const scroller = list.current;
      if (!scroller || event.button !== 0) {
        return;
      }
      event.preventDefault();
      let y = event.clientY;
      const set = (to: IDrag | null): void => {
        current.current = to;
        setDrag(to);
      };
      const follow = (): void => {
        const box = scroller.getBoundingClientRect();
        const to = Math.round((y - box.top + scroller.scrollTop) / height);
        set({ from, to: Math.min(rows.current, Math.max(0, to)) });
      };
      const move = (moved: PointerEvent): void => {
        y = moved.clientY;
        follow();
      };
      const scroll = setInterval(() => {
        const box = scroller.getBoundingClientRect();
        const by = y < box.top + EDGE ? -STEP : y > box.bottom - EDGE ? STEP : 0;
        if (by) {
          scroller.scrollTop += by;
          follow();
        }
      }, 30);
      const end = (): void => {
        const last = current.current;
        stop.current();
        if (last && last.to !== last.from && last.to !== last.from + 1) {
          drop.current(last.from, last.to);
        }
      };
      const key = (pressed: KeyboardEvent): void => {
        if (pressed.key === 'Escape') {
          pressed.stopPropagation();
          stop.current();
        }
      };
      const giveUp = (): void => stop.current();
      stop.current = () => {
        clearInterval(scroll);
        window.removeEventListener('pointermove', move);
        window.removeEventListener('pointerup', end);
        window.removeEventListener('pointercancel', giveUp);
        window.removeEventListener('keydown', key, true);
        set(null);
        stop.current = () => undefined;
      };
      window.addEventListener('pointermove', move);
      window.addEventListener('pointerup', end);
      window.addEventListener('pointercancel', giveUp);
      window.addEventListener('keydown', key, true);
      set({ from, to: from });
    },
    [list, height]
  );
  return { drag, start };
}
