import { QueueStore } from '../queueStore';
import type { Queued } from '../types';
import { queued } from './things';

let all: Queued[];
let asked: number[];
let store: QueueStore;
let fail: Error | null;

async function ask(limit: number, offset: number): Promise<Queued[]> {
  asked.push(offset);
  if (fail) {
    throw fail;
  }
  const rows = all.slice(offset, offset + limit);
  const more = Math.max(0, all.length - offset - limit);
  return rows.map((row, index) => (index === 0 ? { ...row, more } : row));
}

async function settle(milliseconds = 0): Promise<void> {
  await jest.advanceTimersByTimeAsync(milliseconds);
}

beforeEach(() => {
  jest.useFakeTimers();
  all = Array.from({ length: 10_000 }, (_, index) => queued(index + 1));
  asked = [];
  fail = null;
  store = new QueueStore(ask);
});

afterEach(() => {
  store.dispose();
  jest.useRealTimers();
});

describe('QueueStore', () => {
  it('asks only for windows on screen, each once', async () => {
    store.show(0, 20);
    await settle();
    store.show(5, 25);
    store.show(5030, 5060);
    await settle();
    expect(asked).toEqual([0, 5000, 5050]);
    expect(store.state.total).toBe(10_000);
    expect(store.row(5030)?.task.number).toBe(5031);
    expect(store.indexOf(store.row(5030)!.task.id)).toBe(5030);
  });

  it('asks for what is on screen again when the queue has changed, and keeps the old until then', async () => {
    store.show(0, 20);
    await settle();
    all = all.slice(1);
    store.refresh();
    expect(store.row(0)?.task.number).toBe(1);
    await settle(500);
    expect(store.row(0)?.task.number).toBe(2);
    expect(store.state.total).toBe(9999);
  });

  it('asks at its own pace, however often the queue changes, and does not miss the last change', async () => {
    store.show(0, 20);
    store.refresh();
    await settle(500);
    asked = [];
    for (let change = 0; change < 100; change++) {
      all = all.slice(1);
      store.refresh();
      await settle(10);
    }
    await settle(500);
    expect(asked.length).toBeLessThanOrEqual(4);
    expect(store.row(0)?.task.number).toBe(101);
  });

  it('notices that the queue became shorter than where it is', async () => {
    store.show(9000, 9020);
    await settle();
    all = all.slice(0, 3);
    store.refresh();
    await settle(500);
    expect(store.state.total).toBe(3);
    expect(store.row(9000)).toBeUndefined();
    expect(store.row(0)?.task.number).toBe(1);
  });

  it('keeps what it has when the daemon does not answer, and asks again', async () => {
    store.show(0, 20);
    await settle();
    fail = new Error('The daemon went away.');
    store.refresh();
    await settle(500);
    expect(store.state.error).toBe('The daemon went away.');
    expect(store.row(0)?.task.number).toBe(1);
    fail = null;
    store.refresh();
    await settle(500);
    expect(store.state.error).toBe('');
  });
});
