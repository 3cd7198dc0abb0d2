/** One task of the history, with what can be done with it. */
import React, { useEffect, useState } from 'react';

import { ago, shortened } from '../format';
import type { Story, Task, Thumb } from '../types';
import { inBackground } from '../types';
import { signOf } from './gantt-words';
import { StoryReport } from './story';

export interface IHistoryRowProps {
  task: Task;
  open: boolean;
  now: number;
  onToggle: () => void;
  onFeedback: (task: Task, feedback: Thumb) => void;
  onInsert: (task: Task) => void;
  hasCell: (task: Task) => boolean;
  onShowCell: (task: Task) => void;
  onRetry: (task: Task) => void;
  /** What is told of a task when one asks. */
  onWhy: (task: Task) => Promise<Story>;
}

export function HistoryRow(props: IHistoryRowProps): JSX.Element {
  const { task, open, now } = props;
  const ended = task.state === 'failed' || task.state === 'cancelled';
  const button = (name: string, act: () => void): JSX.Element => (
    <button
      type="button"
      className="jp-llmos-Button"
      aria-label={`${name}: task ${task.number}`}
      // The cursor stays in the notebook, where the code is to go.
      onMouseDown={event => event.preventDefault()}
      onClick={act}
    >
      {name}
    </button>
  );
  return (
    <li className="jp-llmos-History-row" data-task={task.id}>
      <div className="jp-llmos-Row-title">
        <span className="jp-llmos-Row-number">{task.number}</span>
        <span className={`jp-llmos-State jp-mod-${task.state}`}>
          <span aria-hidden="true">{signOf(task.state)}</span> {task.state}
        </span>
        <span className="jp-llmos-Row-text" dir="auto">
          {shortened(task.text, 160)}
        </span>
      </div>
      <div className="jp-llmos-Row-facts">
        <time dateTime={iso(task.created)} title={absolute(task.created)}>
          {ago(now - task.created)}
        </time>
        {task.session.notebook && (
          <span dir="auto" title={task.session.notebook}>
            {` · ${task.session.notebook.split(/[\\/]/).pop()}`}
          </span>
        )}
        {(task.feedback === 'undone' || task.feedback === 'edited') && (
          <span> · {task.feedback}</span>
        )}
        {ended && task.reason && <span dir="auto">{` · ${shortened(task.reason, 200)}`}</span>}
      </div>
      <div className="jp-llmos-Row-actions">
        <Thumbs task={task} onFeedback={props.onFeedback} />
        {button('Insert code at cursor', () => props.onInsert(task))}
        {props.hasCell(task) && button('Go to cell', () => props.onShowCell(task))}
        {ended && inBackground(task) && button('Retry', () => props.onRetry(task))}
        <button
          type="button"
          className="jp-llmos-Button"
          aria-label={`Why: task ${task.number}`}
          aria-expanded={open}
          onClick={props.onToggle}
        >
          Why
        </button>
      </div>
      {open && <Details task={task} onWhy={props.onWhy} />}
    </li>
  );
}

function Thumbs(props: { task: Task; onFeedback: IHistoryRowProps['onFeedback'] }): JSX.Element {
  const { task, onFeedback } = props;
  const thumb = (kind: 'up' | 'down'): JSX.Element => (
    <button
      type="button"
      className="jp-llmos-Button"
      aria-label={`Thumb ${kind}: task ${task.number}`}
      title={`Thumb ${kind}`}
      aria-pressed={task.feedback === kind}
      onClick={() => onFeedback(task, task.feedback === kind ? '' : kind)}
    >
      <Thumb down={kind === 'down'} />
    </button>
  );
  return (
    <>
      {thumb('up')}
      {thumb('down')}
    </>
  );
}

/** Drawn, since not every machine has a font with such signs. */
function Thumb({ down }: { down: boolean }): JSX.Element {
  return (
    <svg
      width={14}
      height={14}
      viewBox="0 0 14 14"
      aria-hidden="true"
      fill="currentColor"
      transform={down ? 'rotate(180)' : undefined}
    >
      <path d="M1,6 h2.5 v7 h-2.5 Z M4.5,6 L7,1 q1.8,0.2 1.5,2.2 L8,5.5 h4 q1.3,0.3 1,1.6 L12,12 q-0.3,1 -1.3,1 H4.5 Z" />
    </svg>
  );
}

type Told = { story: Story } | { error: string } | null;

/** Asked for again when the task has changed; what was told before stays meanwhile. */
function Details(props: { task: Task; onWhy: IHistoryRowProps['onWhy'] }): JSX.Element {
  const { task, onWhy } = props;
  const [told, setTold] = useState<Told>(null);
  useEffect(() => {
    let gone = false;
    onWhy(task).then(
      story => !gone && setTold({ story }),
      (error: unknown) =>
        !gone && setTold({ error: error instanceof Error ? error.message : String(error) })
    );
    return () => {
      gone = true;
    };
    // The same task in another state, or with another thumb, has a longer trace.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [task.id, task.state, task.updated, task.feedback]);
  if (told === null) {
    return <p role="status">Asking why.</p>;
  }
  if ('error' in told) {
    return (
      <p role="alert" className="jp-llmos-Warning" dir="auto">
        {told.error}
      </p>
    );
  }
  return (
    <div className="jp-llmos-History-details">
      <p className="jp-llmos-History-text" dir="auto">
        {shortened(task.text, 2000)}
      </p>
      <StoryReport story={told.story} />
    </div>
  );
}

const FORMAT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'medium' });

function absolute(at: number): string {
  const date = new Date(at * 1000);
  return Number.isNaN(date.getTime()) ? 'at an unknown time' : FORMAT.format(date);
}

function iso(at: number): string | undefined {
  const date = new Date(at * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
