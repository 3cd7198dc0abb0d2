/** The tasks that have not ended, in the order in which they run. Only what is on screen is drawn and asked for. */
import {
  defaultRangeExtractor,
  type Range,
  useVirtualizer,
  type VirtualItem
} from '@tanstack/react-virtual';
import React, { useCallback, useEffect, useId, useRef, useState } from 'react';

import type { IQueueState } from '../queueStore';
import type { Queued } from '../types';
import { type IQueueActions, labelOf, movable, QueueRow } from './queueRow';
import { useDrag } from './useDrag';

/** Pixels of a row: fixed, so that 10,000 of them need no measuring. */
const ROW = 76;

/** The queue as far as it is known; QueueStore is one. */
export interface IQueueView {
  readonly state: IQueueState;
  row(index: number): Queued | undefined;
  indexOf(task: string): number;
  show(first: number, last: number): void;
}

export interface IQueueProps {
  queue: IQueueView;
  /** Seconds since the epoch, by the daemon's clock. */
  now: number;
  actions: IQueueActions;
  /** The keyboard or the mouse went to this task. */
  onSelect: (task: string) => void;
}

/** The row that has, or last had, the keyboard's focus. Its task is followed wherever it goes. */
interface IActive {
  readonly index: number;
  readonly task: string | undefined;
}

export function Queue({ queue, now, actions, onSelect }: IQueueProps): JSX.Element {
  const { total, error } = queue.state;
  return (
    <div className="jp-llmos-Queue">
      {error && (
        <p role="status" className="jp-llmos-Warning">
          {error}
        </p>
      )}
      {total === null && !error && <p>Asking for the queue.</p>}
      {total === 0 && <p>Nothing runs and nothing waits.</p>}
      {!!total && (
        <Rows queue={queue} count={total} now={now} actions={actions} onSelect={onSelect} />
      )}
    </div>
  );
}

function Rows({
  queue,
  count,
  now,
  actions,
  onSelect
}: IQueueProps & { count: number }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const focused = useRef(false);
  const help = useId();
  const [active, setActive] = useState<IActive>({ index: 0, task: undefined });
  const activeIndex = placeOf(active, queue, count);
  if (activeIndex !== active.index) {
    setActive({ ...active, index: activeIndex });
  }

  const place = useCallback(
    (from: number, to: number) => {
      const row = queue.row(from);
      let next = to;
      while (next < count && queue.row(next)?.state === 'running') {
        next += 1; // what runs has been overtaken by nobody: the first place is behind it
      }
      const before = next < count ? queue.row(next) : null;
      if (row && movable(row) && before !== undefined && before?.task.id !== row.task.id) {
        actions.place(row.task, before?.task ?? null);
      }
    },
    [queue, count, actions]
  );
  const { drag, start } = useDrag(list, ROW, count, place);

  const kept = drag?.from;
  const rangeExtractor = useCallback(
    (range: Range) => {
      const extra = [activeIndex, kept].filter(
        (index): index is number => index !== undefined && index < count
      );
      return [...new Set([...defaultRangeExtractor(range), ...extra])].sort(
        (one, other) => one - other
      );
    },
    [activeIndex, kept, count]
  );
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here is memoised by a compiler
  const rows = useVirtualizer({
    count,
    getScrollElement: () => list.current,
    estimateSize: () => ROW,
    overscan: 4,
    useFlushSync: false,
    rangeExtractor
  });
  const drawn = rows.getVirtualItems();
  const first = rows.range?.startIndex ?? 0;
  const last = rows.range?.endIndex ?? 0;
  useEffect(
    () => queue.show(Math.max(0, first - 10), Math.min(count - 1, last + 10)),
    [queue, first, last, count]
  );

  // The row that had the focus may have moved or ended: the focus stays with the task, or with its place.
  useEffect(() => {
    if (focused.current && !list.current?.contains(document.activeElement)) {
      list.current
        ?.querySelector<HTMLElement>(`[data-index="${activeIndex}"]`)
        ?.focus({ preventScroll: true });
    }
  });

  const select = (index: number): void => {
    const task = queue.row(index)?.task.id;
    setActive({ index, task });
    if (task !== undefined) {
      onSelect(task);
    }
  };
  const goTo = (index: number): void => {
    const to = Math.min(count - 1, Math.max(0, index));
    select(to);
    rows.scrollToIndex(to, { align: 'auto' });
    // The row is drawn after this event, when the list has scrolled to it.
    requestAnimationFrame(() =>
      list.current
        ?.querySelector<HTMLElement>(`[data-index="${to}"]`)
        ?.focus({ preventScroll: true })
    );
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = queue.row(activeIndex);
    const step = steps(list.current?.clientHeight ?? ROW)[event.key];
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      const to = event.key === 'ArrowUp' ? activeIndex - 1 : activeIndex + 2;
      if (to >= 0 && to <= count) {
        place(activeIndex, to);
      }
    } else if (step !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
      goTo(activeIndex + step);
    } else if (event.key === 'Delete' && row) {
      actions.cancel(row.task);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      <p id={help} className="jp-llmos-Hidden">
        Arrow keys go from task to task, Delete cancels one, Alt with an arrow key moves a
        background task that waits.
      </p>
      <div
        ref={list}
        className="jp-llmos-Queue-list"
        role="grid"
        aria-label="Queue"
        aria-describedby={help}
        aria-rowcount={count}
        onKeyDown={onKeyDown}
        onFocus={() => {
          focused.current = true;
        }}
        onBlur={event => {
          // A row that was taken away loses the focus too, but then nobody has it: it is given back above.
          const gone = !event.target.isConnected;
          focused.current = gone || event.currentTarget.contains(event.relatedTarget);
        }}
      >
        <div
          role="rowgroup"
          className="jp-llmos-Queue-rows"
          style={{ height: rows.getTotalSize() }}
        >
          {keyed(drawn.map(item => [item, queue.row(item.index)])).map(([item, row, key]) => {
            return (
              <div
                key={key}
                role="row"
                className={`jp-llmos-Row${kept === item.index ? ' jp-mod-dragged' : ''}`}
                data-index={item.index}
                aria-rowindex={item.index + 1}
                aria-label={row && labelOf(row, now)}
                tabIndex={item.index === activeIndex ? 0 : -1}
                style={{ height: ROW, transform: `translateY(${item.start}px)` }}
                onFocus={() => {
                  if (item.index !== activeIndex || active.task !== row?.task.id) {
                    select(item.index);
                  }
                }}
              >
                {row ? (
                  <QueueRow
                    row={row}
                    now={now}
                    active={item.index === activeIndex}
                    actions={actions}
                    onDragStart={event => start(item.index, event)}
                  />
                ) : (
                  <div role="gridcell">…</div>
                )}
              </div>
            );
          })}
          {drag && (
            <div
              role="presentation"
              className="jp-llmos-Queue-drop"
              style={{ transform: `translateY(${drag.to * ROW - 1}px)` }}
            />
          )}
        </div>
      </div>
    </>
  );
}

/** Rows with a key each. A task that moved between two questions may stand in both windows, but a key only once. */
function keyed(
  items: (readonly [VirtualItem, Queued | undefined])[]
): [VirtualItem, Queued | undefined, string][] {
  const seen = new Set<string>();
  return items.map(([item, row]) => {
    const task = row?.task.id;
    const key = task === undefined || seen.has(task) ? `row ${item.index}` : task;
    seen.add(key);
    return [item, row, key];
  });
}

/** Rows that a key goes down by. */
function steps(height: number): Record<string, number> {
  const page = Math.max(1, Math.floor(height / ROW) - 1);
  return {
    ArrowUp: -1,
    ArrowDown: 1,
    PageUp: -page,
    PageDown: page,
    Home: -Infinity,
    End: Infinity
  };
}

/** Where the row is that was active: its task's place, or the same place if the task has ended. */
function placeOf(active: IActive, queue: IQueueView, count: number): number {
  const found = active.task === undefined ? -1 : queue.indexOf(active.task);
  return Math.min(found >= 0 ? found : active.index, count - 1);
}
