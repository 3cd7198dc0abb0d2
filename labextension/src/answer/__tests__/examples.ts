/** Data of tests. */
import type { AnswerCell, Finding, Rehearsal, Story } from '../../types';

export const KERNEL = '0f3c';

let tasks = 0;

/** An answer of this test's own: what is remembered of one task must not reach the next. */
export function answer(known: Partial<AnswerCell> = {}): AnswerCell {
  tasks += 1;
  return {
    version: 1,
    state: 'done',
    doing: '',
    printed: '',
    task: tasks.toString(16).padStart(32, '0'),
    number: 7,
    session: KERNEL,
    kind: 'code',
    text: 'x = 1\nprint(x)',
    model: 'qwen',
    device: 'cpu',
    first_token: 0.84,
    tokens_per_second: 12.34,
    attempts: 1,
    ahead: null,
    starts: null,
    confidence: [],
    notes: [],
    findings: [],
    rehearsal: null,
    changes: [],
    ...known
  };
}

export function finding(known: Partial<Finding> = {}): Finding {
  return {
    kind: 'undefined-name',
    severity: 'error',
    message: 'there is no name `y`',
    line: 2,
    name: null,
    suggestions: [],
    targets: [],
    capability: null,
    ...known
  };
}

export function rehearsed(known: Partial<Rehearsal> = {}): Rehearsal {
  return {
    status: 'passed',
    reason: '',
    confinement: 'locked-down',
    reading_limited: true,
    error: null,
    output: '1\n',
    outcome: {},
    edits: [],
    doubts: [],
    shape: { kind: 'nothing', rows: 0, figures: 0, missing: false, columns: [] },
    changes: [{ name: 'x', kind: 'rebound', type: 'int', detail: '1' }],
    refusals: [],
    seconds: 0.31,
    peak_bytes: 1_200_000,
    ...known
  };
}

type Line = Story['lines'][number];
type Fold = Line['folds'][number];

export function fold(known: Partial<Fold> = {}): Fold {
  return { title: 'Code', text: 'x = 1', code: true, left_out: 0, ...known };
}

/** A line of a story. */
export function line(known: Partial<Line> = {}): Line {
  return {
    seconds: 1,
    what: 'Run: no error in 2.0 s',
    facts: [],
    findings: [],
    folds: [],
    ...known
  };
}

/** What the daemon tells of a task. */
export function story(known: Partial<Story> = {}): Story {
  return { task: {} as Story['task'], why: [], lines: [], ...known };
}
