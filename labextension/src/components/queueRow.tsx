/** One task of the queue, with what can be done with it. */
import { PathExt } from '@jupyterlab/coreutils';
import React, { useState } from 'react';

import { seconds, shortened } from '../format';
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
  return inBackground(row.task) && stateOf(row) !== 'running';
}

/** The state in one word; a task that was accepted waits. */
export function stateOf(row: Queued): string {
  if (row.task.state !== 'accepted') {
    return row.task.state;
  }
  return row.step?.state === 'running' ? 'running' : 'waiting';
}

/** The name of a priority's class, or the number. */
export function priorityName(priority: number): string {
  return PRIORITIES.find(([, value]) => value === priority)?.[0] ?? String(priority);
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
  const state = stateOf(row);
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
          {shortened(task.text, 120)}
        </span>
      </div>
      <div role="gridcell" className="jp-llmos-Row-facts" dir="auto" title={row.why}>
        {facts(row, state, now).join(' · ')}
      </div>
      <div role="gridcell" className="jp-llmos-Row-actions">
        {inBackground(task) && (
          <PriorityOf
            task={task}
            priority={row.step?.priority ?? task.options.priority}
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

function facts(row: Queued, state: string, now: number): string[] {
  const { task, step } = row;
  const found = [`asked ${seconds(now - task.created)} ago`];
  const running = step?.spans.at(-1);
  if (state === 'running' && running) {
    found.push(`running for ${seconds(now - running.start)}`);
  } else if (state === 'waiting' && step?.planned) {
    const wait = step.planned.start - now;
    found.push(wait < 1 ? 'starts now' : `starts in ${seconds(wait)}`);
  }
  if (!inBackground(task)) {
    found.push(`priority ${priorityName(step?.priority ?? task.options.priority)}`);
  }
  if (task.session.notebook) {
    found.push(PathExt.basename(task.session.notebook));
  }
  if (row.why) {
    found.push(shortened(row.why, 160));
  }
  return found;
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
