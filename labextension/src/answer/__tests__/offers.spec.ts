import type { AnswerCell } from '../../types';
import { asOfNow, offers } from '../offers';
import { answer, KERNEL } from './examples';

const here = { kernel: KERNEL };
const own = { trusted: true };
const names = (cell: AnswerCell, notebook: { kernel: string } | null = here) =>
  offers(cell, notebook, '', own).map(offer => offer.name);
const THUMBS = ['Good answer', 'Bad answer'];

test.each<[AnswerCell['state'], string[]]>([
  ['waiting', ['Stop', 'Why']],
  ['writing', ['Stop', 'Why']],
  ['rehearsing', ['Insert as cell', 'Stop', 'Why']],
  ['asking', ['Insert as cell', 'Why']],
  ['running', ['Insert as cell', 'Stop', 'Why']],
  ['done', ['Edit and run', 'Insert as cell', 'Undo', ...THUMBS, 'Why']],
  ['shown', ['Run', 'Edit and run', 'Insert as cell', ...THUMBS, 'Why']],
  ['failed', ['Run', 'Edit and run', 'Insert as cell', ...THUMBS, 'Why']],
  ['stopped', ['Run', 'Edit and run', 'Insert as cell', ...THUMBS, 'Why']],
  ['undone', ['Run', 'Edit and run', 'Insert as cell', ...THUMBS, 'Why']]
])('buttons of an answer that is %s', (state, expected) => {
  expect(names(answer({ state }))).toEqual(expected);
});

test('words cannot be run, inserted or undone', () => {
  expect(names(answer({ kind: 'words' }))).toEqual([...THUMBS, 'Why']);
});

test('without a task there is nothing to ask the daemon for', () => {
  expect(names(answer({ task: '', state: 'shown' }))).toEqual([
    'Run',
    'Edit and run',
    'Insert as cell'
  ]);
  expect(names(answer({ task: '', state: 'waiting', text: '' }))).toEqual(['Stop']);
});

test('an answer that was stopped before there was code has none to run', () => {
  expect(names(answer({ state: 'stopped', text: '' }))).toEqual(['Why']);
});

test('a run that was cut short can be undone if it changed something', () => {
  const changes: AnswerCell['changes'] = [{ name: 'x', kind: 'created', type: 'int', detail: '' }];
  expect(names(answer({ state: 'failed', changes }))).toContain('Undo');
  expect(names(answer({ state: 'stopped', changes }))).toContain('Undo');
  expect(names(answer({ state: 'failed' }))).not.toContain('Undo');
  expect(names(answer({ state: 'shown', changes }))).not.toContain('Undo');
});

test('outside a notebook there are no buttons of one', () => {
  expect(names(answer(), null)).toEqual([...THUMBS, 'Why']);
  expect(names(answer({ state: 'writing' }), null)).toEqual(['Stop', 'Why']);
  expect(names(answer({ state: 'writing', task: '' }), null)).toEqual([]);
});

test('without a kernel buttons that need one say so', () => {
  const disabled = offers(answer({ state: 'shown' }), { kernel: '' }, '', own).filter(
    offer => offer.disabled
  );
  expect(disabled.map(offer => offer.name)).toEqual(['Run', 'Edit and run']);
  expect(disabled[0].title).toBe('This notebook has no kernel: start one first.');
});

test('what another kernel did cannot be undone in this one', () => {
  const undo = offers(answer({ session: 'another' }), here, '', own).find(
    one => one.name === 'Undo'
  )!;
  expect(undo.disabled).toBe(true);
  expect(undo.title).toContain('Another kernel');
});

test.each<[string, Partial<AnswerCell>, boolean, RegExp]>([
  ['in an untrusted notebook', {}, false, /^This notebook is not trusted/],
  ['of an untrusted notebook that knows the kernel', { session: KERNEL }, false, /not trusted/],
  ['of another kernel', { session: 'another' }, true, /^Another kernel gave this answer: insert/],
  ['of no kernel', { session: '' }, true, /^Another kernel gave this answer: insert/]
])('code %s is inserted, not run', (_, known, trusted, why) => {
  for (const state of ['shown', 'failed', 'stopped', 'undone', 'done'] as const) {
    const found = offers(answer({ ...known, state }), here, '', { trusted });
    const runs = found.filter(offer => offer.name === 'Run' || offer.name === 'Edit and run');
    expect(runs.map(offer => offer.disabled)).toEqual(state === 'done' ? [true] : [true, true]);
    expect(runs.every(offer => why.test(offer.title))).toBe(true);
    expect(found.find(offer => offer.name === 'Insert as cell')!.disabled).toBe(false);
  }
});

test('thumbs are pressed as they were given', () => {
  const pressed = (feedback: '' | 'up' | 'down' | 'undone' | null) =>
    offers(answer(), here, feedback, own)
      .filter(offer => offer.pressed !== undefined)
      .map(offer => offer.pressed);
  expect(pressed('up')).toEqual([true, false]);
  expect(pressed('down')).toEqual([false, true]);
  expect(pressed('undone')).toEqual([false, false]);
  expect(pressed(null)).toEqual([false, false]);
});

test('an answer whose kernel went away is made no more', () => {
  const cell = answer({ state: 'writing', ahead: 1, starts: 5 });
  expect(asOfNow(cell, here)).toBe(cell);
  expect(asOfNow(cell, null)).toBe(cell);
  expect(asOfNow(cell, { kernel: 'another' })).toMatchObject({ state: 'stopped', starts: null });
  expect(asOfNow(cell, { kernel: '' }).state).toBe('stopped');
  expect(asOfNow({ ...cell, session: '' }, { kernel: '' }).state).toBe('writing');
  expect(asOfNow(answer(), { kernel: 'another' }).state).toBe('done');
});
