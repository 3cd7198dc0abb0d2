/** What was asked, newest first: search, thumbs, the code into a cell, the cell it came from, and why. */
import React, { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { Story, Task, Thumb } from '../types';
import { HistoryRow } from './historyRow';

/** Milliseconds of quiet after a key before it is searched. */
const QUIET = 300;

export interface IHistoryProps {
  /** In any order. */
  tasks: readonly Task[];
  /** There may be older ones. */
  more: boolean;
  loading: boolean;
  /** One sentence; empty: all is well. */
  error: string;
  /** What `tasks` were searched with. */
  search: string;
  /** Seconds since the epoch by the daemon's clock. */
  now: number;
  onSearch: (words: string) => void;
  /** Tasks with a smaller number than this. */
  onMore: (before: number) => void;
  onFeedback: (task: Task, feedback: Thumb) => void;
  onInsert: (task: Task) => void;
  /** Whether `onShowCell` can find the task's cell. */
  hasCell: (task: Task) => boolean;
  onShowCell: (task: Task) => void;
  onRetry: (task: Task) => void;
  onWhy: (task: Task) => Promise<Story>;
  /** The task (its identifier) whose details are to be seen, as asked for by the schedule. */
  opened?: string | null;
}

export function History(props: IHistoryProps): JSX.Element {
  const { tasks, more, loading, error, search, opened, onMore, ...actions } = props;
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<string | null | undefined>(null);
  if (opened !== asked) {
    setAsked(opened);
    if (opened) {
      setOpen(new Set([...open, opened]));
    }
  }
  const newestFirst = useMemo(() => [...tasks].sort((a, b) => b.number - a.number), [tasks]);
  const list = useKeptPlace(newestFirst);
  useEffect(() => {
    if (opened) {
      const row = list.current?.querySelector(`[data-task="${CSS.escape(opened)}"]`);
      row?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [list, opened]);

  const toggle = (task: Task): void => {
    const next = new Set(open);
    if (!next.delete(task.id)) {
      next.add(task.id);
    }
    setOpen(next);
  };
  const nothing = search
    ? `No task has "${search}" in it.`
    : 'Nothing was asked yet: begin a cell with %%llmos and say what you want.';
  return (
    <div className="jp-llmos-History">
      <SearchBox search={search} onSearch={props.onSearch} />
      {error && (
        <p role="alert" className="jp-llmos-Warning" dir="auto">
          {error}
        </p>
      )}
      {newestFirst.length === 0 && !error && (
        <p role="status">{loading ? 'Looking for tasks.' : nothing}</p>
      )}
      <ul className="jp-llmos-History-list" aria-label="Tasks, newest first" ref={list}>
        {newestFirst.map(task => (
          <HistoryRow
            key={task.id}
            task={task}
            open={open.has(task.id)}
            onToggle={() => toggle(task)}
            {...actions}
          />
        ))}
        {newestFirst.length > 0 && more && (
          <li className="jp-llmos-History-more">
            <button
              type="button"
              className="jp-llmos-Button"
              // Not disabled: it would lose the focus.
              aria-disabled={loading}
              onClick={() => !loading && onMore(newestFirst[newestFirst.length - 1].number)}
            >
              {loading ? 'Looking for older tasks' : 'Older tasks'}
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}

function SearchBox(props: { search: string; onSearch: (words: string) => void }): JSX.Element {
  const { search, onSearch } = props;
  const [words, setWords] = useState(search);
  const asked = useRef(search);
  const latest = useRef(onSearch);
  useEffect(() => {
    latest.current = onSearch;
  }, [onSearch]);
  const ask = (wanted: string): void => {
    if (wanted !== asked.current) {
      asked.current = wanted;
      latest.current(wanted);
    }
  };
  const pause = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(pause.current), []);
  const id = useId();
  return (
    <div className="jp-llmos-History-search">
      <label htmlFor={id}>Search tasks</label>
      <input
        id={id}
        type="search"
        className="jp-llmos-Input"
        dir="auto"
        maxLength={1000}
        placeholder="words or a number"
        value={words}
        onChange={event => {
          const wanted = event.target.value;
          setWords(wanted);
          clearTimeout(pause.current);
          pause.current = setTimeout(() => ask(wanted), QUIET);
        }}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            clearTimeout(pause.current);
            ask(words);
          }
        }}
      />
    </div>
  );
}

/**
 * Newer tasks come in above what one is reading: the list is scrolled by as much as they take, unless it stands at its
 * very beginning. The browser's own anchoring, which not all have, is switched off in the style.
 */
function useKeptPlace(rows: readonly Task[]): React.RefObject<HTMLUListElement> {
  const list = useRef<HTMLUListElement>(null);
  const seen = useRef<{ task: string; top: number } | null>(null);
  useLayoutEffect(() => {
    const node = list.current;
    if (!node) {
      return undefined;
    }
    const before = seen.current;
    if (before && node.scrollTop > 0) {
      const row = node.querySelector<HTMLElement>(`[data-task="${CSS.escape(before.task)}"]`);
      if (row) {
        node.scrollTop += row.offsetTop - node.scrollTop - before.top;
      }
    }
    const remember = (): void => {
      const first = [...node.children].find(
        (row): row is HTMLElement =>
          row instanceof HTMLElement &&
          row.dataset.task !== undefined &&
          row.offsetTop + row.offsetHeight > node.scrollTop
      );
      const task = first?.dataset.task;
      seen.current =
        first && task !== undefined ? { task, top: first.offsetTop - node.scrollTop } : null;
    };
    remember();
    node.addEventListener('scroll', remember, { passive: true });
    return () => node.removeEventListener('scroll', remember);
  }, [rows]);
  return list;
}
