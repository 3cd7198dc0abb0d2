/** The trace of a task as text: what was written, found, rehearsed and run, round by round. */
import type { Trace } from '../types';
import { seconds } from '../format';

type Stored = Trace['records'][number];

export interface ITracePart {
  title: string;
  lines: string[];
  code: string;
}

/** Characters of a piece of code or output, and parts, that are shown at the most. */
const LONGEST = 10_000;
const MOST = 60;

/** One part a record, oldest first, the newest if there are too many. */
export function traceText(trace: Trace): ITracePart[] {
  const parts: ITracePart[] = [];
  let code = '';
  for (const { record } of trace.records) {
    const part = partOf(record);
    if (part === null) {
      continue;
    }
    // Inspection, rehearsal and run are usually of the same code: it is shown once.
    if (part.code === code) {
      part.code = '';
    } else if (part.code) {
      code = part.code;
      part.code = cut(part.code);
    }
    parts.push(part);
  }
  if (parts.length <= MOST) {
    return parts;
  }
  const left = {
    title: `${parts.length - MOST} earlier records are not shown`,
    lines: [],
    code: ''
  };
  return [left, ...parts.slice(-MOST)];
}

function partOf(record: Stored['record']): ITracePart | null {
  switch (record.type) {
    case 'candidate': {
      const { candidate } = record;
      const { tokens, first_token_ms: first, decode_ms: decode } = candidate.timings ?? {};
      const lines = [
        [
          candidate.model,
          tokens ? `${tokens} tokens` : '',
          tokens && decode ? `${((1000 * tokens) / decode).toFixed(1)} tokens/s` : '',
          first ? `first token after ${seconds(first / 1000)}` : '',
          typeof candidate.confidence === 'number'
            ? `confidence ${Math.round(100 * candidate.confidence)} %`
            : '',
          candidate.finish && candidate.finish !== 'stop' ? `ended by ${candidate.finish}` : ''
        ]
          .filter(Boolean)
          .join(', ')
      ].filter(Boolean);
      return {
        title: titleOf('Candidate', record.round, candidate.index),
        lines,
        code: candidate.text
      };
    }
    case 'inspection':
      return {
        title: titleOf('Inspection', record.round, record.index),
        lines: record.findings.length
          ? record.findings.map(
              one => `${one.severity}${one.line ? `, line ${one.line}` : ''}: ${cut(one.message)}`
            )
          : ['Nothing was found.'],
        code: record.code
      };
    case 'rehearsal': {
      const { rehearsal } = record;
      const lines = [
        `${rehearsal.status} after ${seconds(rehearsal.seconds ?? 0)}${rehearsal.reason ? `: ${cut(rehearsal.reason)}` : ''}`,
        ...failure(rehearsal.error),
        ...changed(rehearsal.changes),
        ...(rehearsal.refusals ?? []).map(one => `refused to ${one.capability}: ${cut(one.what)}`),
        ...(rehearsal.output ? [`It would print: ${cut(rehearsal.output)}`] : [])
      ];
      return { title: titleOf('Rehearsal', record.round, record.index), lines, code: record.code };
    }
    case 'run': {
      const { run } = record;
      const lines = [
        `${run.status} after ${seconds(run.seconds ?? 0)}`,
        ...failure(run.error),
        ...changed(run.changes)
      ];
      return { title: titleOf('Run', record.round, record.index), lines, code: record.code };
    }
    case 'decision':
      return {
        title: titleOf('Decision', record.round, 0),
        lines: [record.why ? `${record.decision}: ${cut(record.why)}` : record.decision],
        code: ''
      };
    case 'feedback':
      return { title: 'Feedback', lines: [record.feedback || 'taken back'], code: '' };
    default: // of a newer daemon
      return null;
  }
}

function titleOf(name: string, round: number, index: number | undefined): string {
  const parts = [name];
  if (round > 0) {
    parts.push(`repair ${round}`);
  }
  if (index) {
    parts.push(`candidate ${index + 1}`);
  }
  return parts.join(', ');
}

function failure(
  error: { type: string; message: string; line?: number | null } | null | undefined
): string[] {
  return error
    ? [`${error.type}: ${cut(error.message)}${error.line ? ` (line ${error.line})` : ''}`]
    : [];
}

function changed(
  changes: readonly { name: string; kind: string; type?: string }[] | undefined
): string[] {
  if (!changes?.length) {
    return [];
  }
  const told = changes
    .slice(0, 50)
    .map(one => `${one.kind} ${one.name}${one.type ? ` (${one.type})` : ''}`);
  const more = changes.length > 50 ? ` and ${changes.length - 50} more` : '';
  return [`Names: ${told.join(', ')}${more}`];
}

function cut(text: string): string {
  if (text.length <= LONGEST) {
    return text;
  }
  const more = (text.length - LONGEST).toLocaleString('en-GB');
  return `${text.slice(0, LONGEST)}\n… ${more} more characters`;
}
