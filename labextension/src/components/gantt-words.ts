/**
 * What the schedule says in words: of a step, of several, of a moment.
 *
 * The widgets have the same words of a step in `llmos_jupyter/widgets/step_words.py`; `tests/data/views.json` holds both to
 * them.
 */
import { seconds, shortened } from '../format';
import type { StepRecord } from '../types';
import { type IBar, WAITING } from './gantt-layout';

/** What is known of a task besides its identifier. */
export interface ITaskName {
  number: number;
  text: string;
}

/** Kinds and states in words, with the sign that stands for them; a newer daemon may have others. */
export const KINDS: Record<StepRecord['kind'], string> = {
  generation: 'the model writes',
  run: 'code in a worker',
  rehearsal: 'code tried in the sandbox',
  kernel: 'code in the notebook'
};
export const SIGNS: Record<StepRecord['state'], string> = {
  waiting: '…',
  running: '▶',
  paused: '‖',
  done: '✓',
  failed: '✕',
  cancelled: '⊘'
};

export type KindClass = StepRecord['kind'] | 'other';
export const KIND_CLASSES: readonly KindClass[] = [
  'generation',
  'run',
  'rehearsal',
  'kernel',
  'other'
];

export function kindClass(kind: string): KindClass {
  return kind in KINDS ? (kind as StepRecord['kind']) : 'other';
}

export function kindName(kind: string): string {
  return KINDS[kind as StepRecord['kind']] ?? kind;
}

export function signOf(state: string): string {
  return SIGNS[state as StepRecord['state']] ?? '?';
}

export const STATE_SIGNS: readonly [string, string][] = Object.entries(SIGNS);

/** The name of a row. */
export function rowName(key: string): string {
  return key === WAITING ? 'no place yet' : key;
}

/** "Task 7", or what there is of its identifier. */
export function taskName(step: StepRecord, tasks: ReadonlyMap<string, ITaskName>): string {
  const task = tasks.get(step.task);
  return task ? `Task ${task.number}` : `Task ${step.task.slice(0, 8) || 'unknown'}`;
}

/** All there is to say of a step, a line each: what it is, why, how long, when, after what. */
export function describe(
  bar: IBar,
  tasks: ReadonlyMap<string, ITaskName>,
  byStep: ReadonlyMap<string, IBar>
): string[] {
  const { step, spans, planned } = bar;
  const place = step.resource ? ` on ${step.resource}` : '';
  const lines = [`${taskName(step, tasks)}: ${kindName(step.kind)}${place}, ${step.state}`];
  const text = tasks.get(step.task)?.text;
  if (text) {
    lines.push(shortened(text, 100));
  }
  if (step.why) {
    lines.push(shortened(step.why, 400));
  }
  lines.push(lengths(bar));
  const first = spans[0];
  const last = spans[spans.length - 1];
  if (planned) {
    let said = `Planned ${clock(planned.start)} to ${clock(planned.end)}`;
    if (first) {
      const late = first.start - planned.start;
      said += Math.abs(late) < 0.5 ? ', began as planned' : `, began ${seconds(Math.abs(late))}`;
      said += Math.abs(late) < 0.5 ? '' : late > 0 ? ' later' : ' earlier';
    }
    lines.push(`${said}.`);
  }
  if (first) {
    const end = last.open ? 'goes on' : `ended ${clock(last.end)}`;
    const wait = first.start - step.created;
    const waited = wait < 0.05 ? 'at once' : `after ${seconds(wait)} of waiting`;
    lines.push(`Began ${clock(first.start)} ${waited}, ${end}.`);
  } else if (step.state === 'waiting' || step.state === 'paused') {
    lines.push(`Waits since ${clock(step.created)}.`);
  } else {
    lines.push('It never began.');
  }
  if (spans.length > 1) {
    const away = spans
      .slice(1)
      .reduce((sum, span, i) => sum + Math.max(0, span.start - spans[i].end), 0);
    const times = spans.length === 2 ? 'once' : `${spans.length - 1} times`;
    lines.push(`Gave way or was paused ${times}, for ${seconds(away)}.`);
  }
  const after = [...new Set(step.after)];
  if (after.length > 0) {
    const named = after.slice(0, 5).map(id => {
      const before = byStep.get(id);
      return before
        ? `${taskName(before.step, tasks).toLowerCase()} (${kindName(before.step.kind)})`
        : 'a step not shown here';
    });
    const more = after.length > 5 ? ` and ${after.length - 5} more` : '';
    lines.push(`After ${[...new Set(named)].join(', ')}${more}.`);
  }
  return lines;
}

/** Several steps in few words: how many, of which states, from when to when. */
export function describeGroup(bars: readonly IBar[]): string[] {
  const states = new Map<string, number>();
  for (const { step } of bars) {
    states.set(step.state, (states.get(step.state) ?? 0) + 1);
  }
  const counted = [...states].map(([state, count]) => `${count} ${state}`).join(', ');
  const from = clock(bars[0].start);
  const to = clock(bars[bars.length - 1].end);
  return [`${bars.length} steps: ${counted}`, `From ${from} to ${to}. Zoom in to tell them apart.`];
}

function lengths({ step, spans }: IBar): string {
  const parts: string[] = [];
  if (typeof step.predicted === 'number') {
    const within =
      typeof step.predicted_p90 === 'number'
        ? ` (9 of 10 within ${seconds(step.predicted_p90)})`
        : '';
    parts.push(`Predicted ${seconds(step.predicted)}${within}`);
  } else {
    parts.push('No prediction');
  }
  if (spans.length > 0 && !spans[spans.length - 1].open) {
    const took = spans.reduce((sum, span) => sum + span.end - span.start, 0);
    parts.push(`took ${seconds(took)}`);
  }
  return `${parts.join(', ')}.`;
}

const DAY = 86_400;
const toSecond = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const toMinute = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const toDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** A moment as time of day; with the day where `now` is given and another day. */
export function clock(at: number, now = at): string {
  const date = new Date(at * 1000);
  if (Number.isNaN(date.getTime())) {
    return 'at an unknown time';
  }
  return Math.abs(now - at) > DAY / 2 ? dayAndTime.format(date) : toSecond.format(date);
}

/** The label of a tick of the axis, as precise as the distance of ticks, in seconds, asks for. */
export function tickLabel(date: Date, distance: number): string {
  if (distance >= DAY || (date.getHours() === 0 && date.getMinutes() === 0 && distance >= 60)) {
    return toDay.format(date);
  }
  return (distance < 60 ? toSecond : toMinute).format(date);
}
