/** What the kernel displays of an answer, read with care: it may come from a file that anybody wrote. */
import type { AnswerCell, Finding, NameChange, Rehearsal } from '../types';

export const ANSWER_MIME = 'application/vnd.llmos.answer+json';

export type AnswerState = AnswerCell['state'];

const OPEN: readonly AnswerState[] = ['waiting', 'writing', 'rehearsing', 'asking', 'running'];
const ENDED: readonly AnswerState[] = ['done', 'shown', 'failed', 'stopped', 'undone'];

export const isOpen = (state: AnswerState): boolean => OPEN.includes(state);

/** The answer, or null for data of another version or kind. Parts that are not what they should be are left out. */
export function readAnswer(data: unknown): AnswerCell | null {
  if (!isRecord(data) || data.version !== 1 || typeof data.text !== 'string') {
    return null;
  }
  const state = data.state as AnswerState;
  if (!isOpen(state) && !ENDED.includes(state)) {
    return null;
  }
  return {
    version: 1,
    state,
    doing: text(data.doing),
    printed: text(data.printed),
    task: text(data.task),
    number: count(data.number),
    session: text(data.session),
    kind: data.kind === 'words' ? 'words' : 'code',
    text: data.text,
    model: text(data.model),
    device: text(data.device),
    first_token: figure(data.first_token),
    tokens_per_second: figure(data.tokens_per_second),
    attempts: count(data.attempts) ?? 0,
    ahead: count(data.ahead),
    starts: figure(data.starts),
    confidence: confidence(data.confidence),
    notes: texts(data.notes),
    findings: list(data.findings).flatMap(finding),
    rehearsal: rehearsal(data.rehearsal),
    changes: list(data.changes).flatMap(change)
  };
}

function confidence(value: unknown): [number, number][] {
  const runs = list(value);
  const good = (run: unknown): run is [number, number] =>
    Array.isArray(run) &&
    run.length === 2 &&
    Number.isInteger(run[0]) &&
    run[0] >= 0 &&
    typeof run[1] === 'number' &&
    run[1] >= 0 &&
    run[1] <= 1;
  // After one bad run nobody knows where the next begins.
  return runs.every(good) ? runs : [];
}

function finding(value: unknown): Finding[] {
  if (!isRecord(value) || typeof value.message !== 'string') {
    return [];
  }
  const severity =
    value.severity === 'error' || value.severity === 'warning' ? value.severity : 'note';
  return [
    {
      kind: text(value.kind) as Finding['kind'],
      severity,
      message: value.message,
      line: count(value.line),
      name: typeof value.name === 'string' ? value.name : null,
      suggestions: texts(value.suggestions),
      capability: (text(value.capability) || null) as Finding['capability'],
      targets: texts(value.targets)
    }
  ];
}

const KINDS = ['created', 'rebound', 'mutated', 'deleted'];

function change(value: unknown): NameChange[] {
  if (!isRecord(value) || typeof value.name !== 'string' || !KINDS.includes(text(value.kind))) {
    return [];
  }
  return [
    {
      name: value.name,
      kind: value.kind as NameChange['kind'],
      type: text(value.type),
      detail: text(value.detail)
    }
  ];
}

const STATUSES = ['passed', 'failed', 'refused', 'unfinished', 'died', 'unavailable'];

/** What is drawn of a rehearsal. */
export type Rehearsed = Pick<
  Rehearsal,
  | 'status'
  | 'reason'
  | 'confinement'
  | 'error'
  | 'output'
  | 'doubts'
  | 'changes'
  | 'refusals'
  | 'seconds'
  | 'peak_bytes'
>;

function rehearsal(value: unknown): AnswerCell['rehearsal'] {
  if (!isRecord(value) || !STATUSES.includes(text(value.status))) {
    return null;
  }
  const read: Rehearsed = {
    status: value.status as Rehearsal['status'],
    reason: text(value.reason),
    confinement: text(value.confinement),
    error: isRecord(value.error)
      ? {
          type: text(value.error.type),
          message: text(value.error.message),
          line: count(value.error.line),
          source: text(value.error.source),
          traceback: text(value.error.traceback),
          values: texts(value.error.values),
          function: text(value.error.function),
          unknown: null // what could stand there instead is for the model
        }
      : null,
    output: text(value.output),
    doubts: texts(value.doubts),
    changes: list(value.changes).flatMap(change),
    refusals: list(value.refusals).flatMap(one =>
      isRecord(one)
        ? [
            {
              capability: text(one.capability) as Rehearsal['refusals'][0]['capability'],
              what: text(one.what),
              target: text(one.target),
              system_call: text(one.system_call)
            }
          ]
        : []
    ),
    seconds: figure(value.seconds) ?? 0,
    peak_bytes: figure(value.peak_bytes) ?? 0
  };
  return read as Rehearsal;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => list(value).filter(one => typeof one === 'string');
const figure = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const count = (value: unknown): number | null =>
  Number.isInteger(value) ? (value as number) : null;
