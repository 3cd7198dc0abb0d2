import { ServerConnection } from '@jupyterlab/services';
import { StateDB } from '@jupyterlab/statedb';

import { Clock } from '../clock';
import { Preferences } from '../preferences';
import { bytes, duration, plural, seconds } from '../text';

const later = () => new Promise(resolve => setTimeout(resolve, 0));

describe('the clock', () => {
  const clock = (answer: () => Promise<Response>) =>
    new Clock(ServerConnection.makeSettings({ fetch: answer }));
  const off = (found: Clock) => found.now()! - Date.now() / 1000;

  test("is the server's, where the browser's is off by an hour", async () => {
    const Date_ = new Date(Date.now() - 3_600_000).toUTCString();
    const found = clock(() => Promise.resolve(new Response('{}', { headers: { Date: Date_ } })));
    expect(found.now()).toBeNull();
    await later();
    expect(off(found)).toBeGreaterThan(-3602);
    expect(off(found)).toBeLessThan(-3598);
  });

  test.each<[string, () => Promise<Response>]>([
    ['does not answer', () => Promise.reject(new TypeError('offline'))],
    ['does not tell', () => Promise.resolve(new Response('{}'))]
  ])("is the browser's where the server %s", async (_, answer) => {
    const found = clock(answer);
    found.now();
    await later();
    expect(Math.abs(off(found))).toBeLessThan(1);
  });
});

test('what is wanted of all answers is there after a reload', async () => {
  const state = new StateDB();
  new Preferences(state).confidence = true;
  const found = new Preferences(state);
  const told = jest.fn();
  found.changed.connect(told);
  await later();
  expect(found.confidence).toBe(true);
  expect(told).toHaveBeenCalledTimes(1);
});

test('figures in words', () => {
  expect([0.844, 12.34, 59.96, 125, 3600].map(seconds)).toEqual([
    '0.84 s',
    '12.3 s',
    '60.0 s',
    '2 min 5 s',
    '1 h 0 min'
  ]);
  expect([-3, 12.4, 3661].map(duration)).toEqual(['0 s', '12 s', '1 h 1 min']);
  expect([0, 999, 1200, 1_500_000, 2.5e9, 3e12].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.2 kB',
    '1.5 MB',
    '2.5 GB',
    '3000.0 GB'
  ]);
  expect([plural(1, 'token'), plural(2, 'token')]).toEqual(['1 token', '2 tokens']);
});
