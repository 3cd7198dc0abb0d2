/** One task of the queue, with what can be done with it. */
import { PathExt } from '@jupyterlab/coreutils';
import React, { useState } from 'react';

import { about, ago, shortened } from '../format';
import type { Queued, Task } from '../types';
import { inBackground } from '../types';

/** What a user can do with a task that has not ended. */
export interface IQueueActions {
  cancel: (task: Task) => void;
  pause: (task: Task) => void;
  resume: (task: Task) => void;
  prioritise: (task: Task, priority: number) => void;
  /** Let it stand before this one, or last of all. */
  place: (task: Task, before: Task | null) => void;
}

export const PRIORITIES: readonly [string, number][] = [
  ['interactive', 100],
  ['normal', 50],
  ['low', 0]
];

/** Only background tasks can stand still or be moved: the cell of any other waits in its notebook. */
export function movable(row: Queued): boolean {
  return inBackground(row.task) && row.state !== 'running';
}

/** The name of a priority's class, or the number. */
export function priorityName(priority: number): string {
  return PRIORITIES.find(([, value]) => value === priority)?.[0] ?? String(priority);
}

/** Characters of a task's text that are shown, and of its reason. */
const SHOWN = 80;
const TOLD = 300;
/** Seconds: what is planned to start sooner starts now, as far as people care. */
const SOON = 5;

/** A task in words, as the widgets tell it too (`llmos_jupyter/widgets/queue.py`). `runs`: for how long it has run. */
export interface IRowWords {
  number: number;
  state: string;
  priority: string;
  age: string;
  starts: string;
  runs: string;
  what: string;
  why: string;
}

export function rowWords(row: Queued, now: number): IRowWords {
  const { task, step, state } = row;
  const planned = state === 'waiting' ? step?.planned : null;
  const running = state === 'running' ? step?.spans.at(-1) : undefined;
  const wait = planned ? planned.start - now : 0;
  return {
    number: task.number,
    state,
    priority: priorityName(row.priority),
    age: about(now - task.created),
    starts: planned ? (wait < SOON ? 'now' : `in ${about(wait)}`) : '',
    runs: running ? about(now - running.start) : '',
    what: shortened(task.text, SHOWN),
    why: shortened(row.why, TOLD)
  };
}

/** A row in one line, for those who hear it. */
export function labelOf(row: Queued, now: number): string {
  const { number, state, what } = rowWords(row, now);
  return `Task ${number}, ${state}: ${what}`;
}

export interface IQueueRowProps {
  row: Queued;
  now: number;
  /** The row that the keyboard is on: its buttons can be reached with Tab. */
  active: boolean;
  actions: IQueueActions;
  onDragStart: (event: React.PointerEvent<HTMLElement>) => void;
}

export function QueueRow({ row, now, active, actions, onDragStart }: IQueueRowProps): JSX.Element {
  const { task } = row;
  const words = rowWords(row, now);
  const { state } = words;
  const tabIndex = active ? 0 : -1;
  const button = (name: string, act: (task: Task) => void): JSX.Element => (
    <button
      type="button"
      className="jp-llmos-Button"
      tabIndex={tabIndex}
      aria-label={`${name} task ${task.number}`}
      onClick={() => act(task)}
    >
      {name}
    </button>
  );
  return (
    <>
      <div role="gridcell" className="jp-llmos-Row-title">
        <span className="jp-llmos-Row-number">{task.number}</span>
        <span className={`jp-llmos-State jp-mod-${state}`}>{state}</span>
        <span className="jp-llmos-Row-text" dir="auto">
          {words.what}
        </span>
      </div>
      <div role="gridcell" className="jp-llmos-Row-facts" dir="auto" title={row.why}>
        {facts(row, words, now).join(' · ')}
      </div>
      <div role="gridcell" className="jp-llmos-Row-actions">
        {inBackground(task) && (
          <PriorityOf
            task={task}
            priority={row.priority}
            tabIndex={tabIndex}
            onChange={actions.prioritise}
          />
        )}
        {inBackground(task) &&
          (state === 'paused' ? button('Resume', actions.resume) : button('Pause', actions.pause))}
        {button('Cancel', actions.cancel)}
        {movable(row) && (
          <span
            className="jp-llmos-Handle"
            aria-hidden="true"
            title="Drag to another place"
            onPointerDown={onDragStart}
          >
            ⠿
          </span>
        )}
      </div>
    </>
  );
}

function facts({ task }: Queued, words: IRowWords, now: number): string[] {
  return [
    `asked ${ago(now - task.created)}`,
    words.runs && `running for ${words.runs}`,
    words.starts && `starts ${words.starts}`,
    inBackground(task) ? '' : `priority ${words.priority}`,
    task.session.notebook && PathExt.basename(task.session.notebook),
    words.why
  ].filter(Boolean);
}

interface IPriorityProps {
  task: Task;
  priority: number;
  tabIndex: number;
  onChange: (task: Task, priority: number) => void;
}

/** The priority's class to choose, and any number for those who want one. */
function PriorityOf({ task, priority, tabIndex, onChange }: IPriorityProps): JSX.Element {
  const [typing, setTyping] = useState(false);
  const label = `Priority of task ${task.number}`;
  if (typing) {
    const accept = (text: string): void => {
      setTyping(false);
      const chosen = Number(text);
      if (text.trim() && Number.isInteger(chosen) && chosen >= 0 && chosen <= 1000) {
        onChange(task, chosen);
      }
    };
    return (
      <input
        type="number"
        className="jp-llmos-Input"
        aria-label={`${label}, 0 to 1000`}
        min={0}
        max={1000}
        autoFocus
        defaultValue={priority}
        onKeyDown={event => {
          event.stopPropagation();
          if (event.key === 'Enter') {
            accept(event.currentTarget.value);
          } else if (event.key === 'Escape') {
            setTyping(false);
          }
        }}
        onBlur={() => setTyping(false)}
      />
    );
  }
  const named = PRIORITIES.some(([, value]) => value === priority);
  return (
    <select
      className="jp-llmos-Select"
      aria-label={label}
      tabIndex={tabIndex}
      value={String(priority)}
      onKeyDown={event => event.stopPropagation()}
      onChange={event => {
        if (event.target.value === 'number') {
          setTyping(true);
        } else {
          onChange(task, Number(event.target.value));
        }
      }}
    >
      {!named && <option value={String(priority)}>{priority}</option>}
      {PRIORITIES.map(([name, value]) => (
        <option key={name} value={String(value)}>
          {name}
        </option>
      ))}
      <option value="number">number…</option>
    </select>
  );
}
