import { readAnswer } from '../data';
import { answer, finding, rehearsed } from './examples';

test('an answer is read as it is', () => {
  const cell = answer({
    confidence: [[3, 0.5]],
    findings: [finding()],
    changes: [{ name: 'x', kind: 'created', type: 'int', detail: '' }],
    notes: ['a']
  });
  expect(readAnswer(JSON.parse(JSON.stringify(cell)))).toEqual(cell);
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'x'],
  ['a list', [1]],
  ['another version', { ...answer(), version: 2 }],
  ['no version', { state: 'done', text: 'x' }],
  ['an unknown state', { ...answer(), state: 'dancing' }],
  ['a name of every object', { ...answer(), state: 'constructor' }],
  ['no text', { ...answer(), text: null }]
])('%s is no answer', (_, data) => {
  expect(readAnswer(data)).toBeNull();
});

test('parts that are not what they should be are left out', () => {
  const read = readAnswer({
    version: 1,
    state: 'done',
    text: 'x',
    model: { toString: 1 },
    number: 'seven',
    attempts: -0.5,
    first_token: 'soon',
    starts: Infinity,
    notes: [1, 'a', null],
    findings: [null, 'x', { message: 3 }, { message: 'm', severity: 'fatal', suggestions: 'no' }],
    rehearsal: { status: 'passed', changes: [{ name: 'x', kind: 'eaten' }, 3], error: 'no' },
    changes: 'no'
  });
  expect(read).toMatchObject({
    model: '',
    number: null,
    attempts: 0,
    first_token: null,
    starts: null,
    notes: ['a'],
    findings: [{ message: 'm', severity: 'note', suggestions: [] }],
    rehearsal: { status: 'passed', changes: [], error: null, seconds: 0 },
    changes: []
  });
});

test.each([
  ['a negative length', [[-1, 0.5]]],
  ['half a character', [[1.5, 0.5]]],
  ['a probability above one', [[1, 1.5]]],
  ['no pair', [[1, 0.5], 3]],
  ['no list', 'x']
])('confidence with %s is none', (_, confidence) => {
  expect(readAnswer({ ...answer(), confidence })?.confidence).toEqual([]);
});

test('a rehearsal of an unknown kind is none', () => {
  expect(
    readAnswer({ ...answer(), rehearsal: { ...rehearsed(), status: 'x' } })?.rehearsal
  ).toBeNull();
});
