/** What the user chose in an answer's view, kept while its output is drawn anew. */
import type { Story } from '../types';
import type { FeedbackKind } from './offers';

export interface Memory {
  /** The tab that is open. */
  tab: string;
  /** Whether long code is shown whole. */
  all: boolean;
  /** Code in the open editor; null: it is closed. */
  draft: string | null;
  /** What became of the last button. */
  said: string;
  /** The thumb; null: not asked for yet. */
  feedback: FeedbackKind | null;
  /** The trace, when it was looked at, and the state it was asked in. */
  story: Story | null;
  storyOf: string;
  /** How far the code was scrolled. */
  scroll: number;
  /** What had the focus when its output was taken away, and when (ms). */
  focus: { key: string; at: number } | null;
}

/** Answers that are remembered; a notebook has rarely as many. */
const REMEMBERED = 500;

const memories = new Map<string, Memory>();

export function newMemory(): Memory {
  return {
    tab: '',
    all: false,
    draft: null,
    said: '',
    feedback: null,
    story: null,
    storyOf: '',
    scroll: 0,
    focus: null
  };
}

/** The memory of this task; where there is none yet, `current` becomes it. */
export function memoryOf(task: string, current: Memory): Memory {
  const known = memories.get(task);
  if (known) {
    return known;
  }
  if (memories.size >= REMEMBERED) {
    memories.delete(memories.keys().next().value!);
  }
  memories.set(task, current);
  return current;
}
