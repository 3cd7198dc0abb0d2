import { ServerConnection } from '@jupyterlab/services';
import { StateDB } from '@jupyterlab/statedb';

import { Clock } from '../clock';
import { Preferences } from '../preferences';

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
