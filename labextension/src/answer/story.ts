/** The trace of a task as lines to read; no React, no requests. */
import type { Trace } from '../types';
import { bytes, plural, seconds } from '../format';

export interface Line {
  key: number;
  /** When, from the request on. */
  at: string;
  what: string;
  /** What is folded beneath: its title, and the text. */
  folds: { title: string; text: string; code?: boolean }[];
  findings: { severity: string; message: string }[];
}

export interface Story {
  /** Where each step ran, why then, what it waited for. */
  why: string[];
  lines: Line[];
}

/** Records that are shown; a task with more has been repaired over and over. */
const SHOWN = 300;

export function story(trace: Trace, why: string): Story {
  const lines = trace.records.slice(0, SHOWN).map(stored => ({
    key: stored.id,
    at: `+${seconds(stored.at - trace.task.created)}`,
    ...told(stored.record)
  }));
  return {
    why: why
      .split('\n')
      .map(line => line.replace(/^- /, '').trim())
      .filter(line => line !== ''),
    lines
  };
}

type StoredRecord = Trace['records'][number]['record'];

function told(record: StoredRecord): Pick<Line, 'what' | 'folds' | 'findings'> {
  const nothing = { folds: [], findings: [] };
  switch (record.type) {
    case 'candidate': {
      const { candidate } = record;
      const { timings } = candidate;
      const parts = [
        `Candidate ${record.round + 1}${candidate.index ? `, number ${candidate.index + 1} of its round` : ''}`,
        candidate.model,
        `${plural(timings.tokens, 'token')} in ${seconds(timings.decode_ms / 1000)}`,
        `first token after ${seconds(timings.first_token_ms / 1000)}`,
        `${plural(timings.prompt_tokens, 'token')} read, ${timings.cached_tokens} of them from the cache`
      ];
      if (candidate.confidence !== null && candidate.confidence !== undefined) {
        parts.push(`confidence ${Math.round(100 * candidate.confidence)} %`);
      }
      if (candidate.finish !== 'stop') {
        parts.push(FINISHES[candidate.finish]);
      }
      return {
        what: parts.filter(part => part !== '').join(' · '),
        folds: [
          ...candidate.messages.map(message => ({
            title: `Prompt: ${message.role}`,
            text: message.content
          })),
          { title: 'Reply', text: candidate.text, code: true }
        ],
        findings: []
      };
    }
    case 'inspection':
      return {
        what: record.findings.length
          ? `Inspection: ${plural(record.findings.length, 'finding')}`
          : 'Inspection: nothing found',
        folds: [{ title: 'Code', text: record.code, code: true }],
        findings: record.findings
      };
    case 'rehearsal': {
      const { rehearsal } = record;
      const error = rehearsal.error ? `: ${rehearsal.error.type}: ${rehearsal.error.message}` : '';
      const reason = rehearsal.reason ? ` (${rehearsal.reason})` : '';
      const memory = rehearsal.peak_bytes > 0 ? `, ${bytes(rehearsal.peak_bytes)} of memory` : '';
      return {
        ...nothing,
        what: `Rehearsal: ${rehearsal.status} in ${seconds(rehearsal.seconds)}${memory}${error}${reason}`,
        folds: [
          { title: 'Code', text: record.code, code: true },
          ...(rehearsal.output ? [{ title: 'What it would print', text: rehearsal.output }] : [])
        ]
      };
    }
    case 'run': {
      const { run } = record;
      const error = run.error ? `: ${run.error.type}: ${run.error.message}` : '';
      return {
        ...nothing,
        what: `Run: ${run.status} in ${seconds(run.seconds)}${error}`,
        folds: [{ title: 'Code', text: record.code, code: true }]
      };
    }
    case 'decision':
      return {
        ...nothing,
        what: `Decision: ${record.decision}${record.why ? `: ${record.why}` : ''}`
      };
    case 'feedback':
      return { ...nothing, what: `Feedback: ${FEEDBACK[record.feedback]}` };
    default:
      // A newer daemon may tell of things that this page does not know.
      return { ...nothing, what: String((record as { type: unknown }).type) };
  }
}

const FINISHES = {
  stop: '',
  length: 'cut off at its limit of tokens',
  cancelled: 'cancelled',
  preempted: 'gave way to more urgent work'
};
const FEEDBACK = {
  '': 'taken back',
  up: 'good answer',
  down: 'bad answer',
  undone: 'undone',
  edited: 'run with changes'
};
