/** Which buttons an answer has, and why one cannot be pressed. Pure functions over plain data. */
import type { AnswerCell, Task } from '../types';
import { isOpen, type AnswerState } from './data';

export type FeedbackKind = Task['feedback'];

/** The notebook that an answer stands in, as far as buttons depend on it. */
export interface Surroundings {
  /** The identifier of its kernel; empty where it has none. */
  kernel: string;
}

/** An output as far as buttons depend on it. */
export interface Standing {
  /** Whether JupyterLab trusts it: this user ran its cell, or signed the notebook. */
  trusted: boolean;
}

export type ButtonName =
  | 'Run'
  | 'Edit and run'
  | 'Insert as cell'
  | 'Undo'
  | 'Stop'
  | 'Good answer'
  | 'Bad answer'
  | 'Why';

export interface Offer {
  name: ButtonName;
  /** What it does; where it cannot be pressed, why. */
  title: string;
  disabled: boolean;
  /** Of a toggle. */
  pressed?: boolean;
}

const NOT_RUN: readonly AnswerState[] = ['shown', 'failed', 'stopped', 'undone'];
const STOPPABLE: readonly AnswerState[] = ['waiting', 'writing', 'rehearsing', 'running'];
const NO_KERNEL = 'This notebook has no kernel: start one first.';
const OTHER_KERNEL = 'Another kernel gave this answer: what it did is not in this one.';
const UNTRUSTED =
  'This notebook is not trusted, and anybody may have written this code: insert it as a cell, and read it before you run it.';
const NOT_ASKED_HERE =
  'Another kernel gave this answer: insert its code as a cell, and read it before you run it.';

/**
 * The buttons, in order. `notebook` is null where the answer stands in none. What runs code with one press is for
 * answers that this notebook's kernel gave: a saved one may say anything of itself.
 */
export function offers(
  cell: AnswerCell,
  notebook: Surroundings | null,
  feedback: FeedbackKind | null,
  { trusted }: Standing
): Offer[] {
  const found: Offer[] = [];
  const offer = (name: ButtonName, title: string, reason = '') =>
    found.push({ name, title: reason || title, disabled: reason !== '' });
  const ended = !isOpen(cell.state);
  const code = cell.kind === 'code' && cell.text.trim() !== '';
  if (notebook && code) {
    const noKernel = notebook.kernel ? '' : NO_KERNEL;
    const elsewhere = notebook.kernel === cell.session ? '' : NOT_ASKED_HERE;
    const reason = noKernel || (trusted ? elsewhere : UNTRUSTED);
    if (NOT_RUN.includes(cell.state)) {
      offer('Run', 'Put this code into a new cell below, and run it', reason);
    }
    if (ended) {
      offer('Edit and run', 'Change this code, and run it in a new cell below', reason);
    }
    if (cell.state !== 'waiting' && cell.state !== 'writing') {
      offer('Insert as cell', 'Put this code into a new cell below, without running it');
    }
    if (hasRun(cell) && cell.number !== null) {
      const other = notebook.kernel === cell.session ? '' : OTHER_KERNEL;
      offer('Undo', 'Take back what this answer did', noKernel || other);
    }
  }
  if (STOPPABLE.includes(cell.state) && (cell.task || notebook)) {
    offer('Stop', 'Stop this answer', cell.task || notebook?.kernel ? '' : NO_KERNEL);
  }
  if (cell.task && ended && cell.text) {
    offer('Good answer', 'Say that this answer is good; again: take it back');
    found[found.length - 1].pressed = feedback === 'up';
    offer('Bad answer', 'Say that this answer is bad; again: take it back');
    found[found.length - 1].pressed = feedback === 'down';
  }
  if (cell.task) {
    offer('Why', 'Show the trace: what was sent, what came back, what was found and run');
  }
  return found;
}

/** Whether the code has run: to its end, or far enough to have changed something. */
function hasRun(cell: AnswerCell): boolean {
  const cutShort = cell.state === 'failed' || cell.state === 'stopped';
  return cell.state === 'done' || (cutShort && cell.changes.length > 0);
}

/** The answer as it stands now: one that was being made when its kernel went away is made no more. */
export function asOfNow(cell: AnswerCell, notebook: Surroundings | null): AnswerCell {
  const left = notebook !== null && cell.session !== '' && notebook.kernel !== cell.session;
  return left && isOpen(cell.state)
    ? { ...cell, state: 'stopped', doing: 'its kernel went away', ahead: null, starts: null }
    : cell;
}
