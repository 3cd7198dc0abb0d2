import type { Trace } from '../../types';
import { story } from '../story';
import { rehearsed } from './examples';

const task = { created: 100 } as Trace['task'];
const trace = (...records: unknown[]): Trace =>
  ({ task, records: records.map((record, i) => ({ id: i + 1, at: 100.5 + i, record })) }) as Trace;

const candidate = {
  type: 'candidate',
  round: 0,
  candidate: {
    text: 'x = 1',
    index: 0,
    confidence: 0.62,
    doubt: null,
    model: 'qwen',
    finish: 'length',
    timings: {
      prompt_tokens: 800,
      cached_tokens: 700,
      prompt_ms: 10,
      tokens: 42,
      decode_ms: 3500,
      first_token_ms: 840
    },
    messages: [{ role: 'system', content: 'You write Python.' }]
  }
};

test('a candidate is told with its prompt folded away', () => {
  const [line] = story(trace(candidate), '').lines;
  expect(line.at).toBe('+0.50 s');
  expect(line.what).toBe(
    'Candidate 1 · qwen · 42 tokens in 3.5 s · first token after 0.84 s · ' +
      '800 tokens read, 700 of them from the cache · confidence 62 % · cut off at its limit of tokens'
  );
  expect(line.folds.map(fold => [fold.title, fold.text])).toEqual([
    ['Prompt: system', 'You write Python.'],
    ['Reply', 'x = 1']
  ]);
});

test('every kind of record is told', () => {
  const error = {
    type: 'KeyError',
    message: "'a'",
    line: 1,
    source: '',
    traceback: '',
    values: [],
    function: '',
    unknown: null
  };
  const told = story(
    trace(
      { type: 'inspection', round: 0, index: 0, code: 'x', findings: [] },
      { type: 'rehearsal', round: 0, index: 0, code: 'x', rehearsal: rehearsed({ error }) },
      {
        type: 'run',
        round: 0,
        code: 'x',
        run: { status: 'ok', error: null, changes: [], seconds: 2 }
      },
      { type: 'decision', round: 0, decision: 'shown', why: 'mode is show' },
      { type: 'feedback', round: 0, feedback: 'up' },
      { type: 'of a newer daemon' }
    ),
    ''
  ).lines.map(line => line.what);
  expect(told).toEqual([
    'Inspection: nothing found',
    "Tried in the sandbox: passed in 0.31 s, 1.2 MB of memory: KeyError: 'a'",
    'Run: ok in 2.0 s',
    'Decision: shown: mode is show',
    'Feedback: good answer',
    'of a newer daemon'
  ]);
});

test('why is a list of sentences', () => {
  expect(story(trace(), '- qwen wrote for 3 s.\n- Its code ran.\n').why).toEqual([
    'qwen wrote for 3 s.',
    'Its code ran.'
  ]);
});
