import { ServerConnection } from '@jupyterlab/services';

import { LiveStore } from '../live';
import { Daemon } from '../request';
import type { Pulse } from '../types';
import { pulse, sample } from './things';

/** A server whose live streams a test writes into, byte for byte. */
class Server {
  streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  /** What the next call of the live stream answers instead, if anything. */
  refuse: { status: number; message: string } | null = null;
  calls: string[] = [];

  readonly daemon = new Daemon(
    ServerConnection.makeSettings({
      baseUrl: 'http://localhost/',
      fetch: (async (request: Request) => this.answer(request)) as typeof fetch
    })
  );

  private answer(request: Request): Response {
    const path = new URL(request.url).pathname;
    this.calls.push(path);
    if (!path.endsWith('/live')) {
      return Response.json([]);
    }
    if (this.refuse) {
      const { status, message } = this.refuse;
      return Response.json({ message }, { status });
    }
    return new Response(
      new ReadableStream<Uint8Array>({ start: controller => void this.streams.push(controller) })
    );
  }

  get opened(): number {
    return this.calls.filter(path => path.endsWith('/live')).length;
  }

  write(text: string): void {
    this.streams.at(-1)!.enqueue(new TextEncoder().encode(text));
  }

  send(one: Pulse): void {
    this.write(`data: ${JSON.stringify(one)}\n\n`);
  }
}

let server: Server;
let live: LiveStore;

async function begin(): Promise<void> {
  live = new LiveStore(server.daemon);
  await pass(0);
}

/** Let this many milliseconds pass, with all that is due meanwhile. */
async function pass(milliseconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(milliseconds);
  for (let turn = 0; turn < 10; turn++) {
    await jest.advanceTimersByTimeAsync(0);
  }
}

function visible(state: DocumentVisibilityState): void {
  jest.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate'] });
  server = new Server();
});

afterEach(() => {
  live.dispose();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('LiveStore', () => {
  it('tells pulses, and asks for what is visible when the revision changes', async () => {
    await begin();
    const revised = jest.fn();
    live.revised.connect(revised);
    server.send(pulse({ revision: 1 }));
    server.send(pulse({ revision: 1, running: 2 }));
    await pass(0);
    expect(live.state.connection).toBe('live');
    expect(live.state.pulse?.running).toBe(2);
    expect(revised).toHaveBeenCalledTimes(1);
    server.send(pulse({ revision: 2 }));
    await pass(0);
    expect(revised).toHaveBeenCalledTimes(2);
  });

  it('opens a stream that stops half-way again, and throws nothing away meanwhile', async () => {
    await begin();
    server.send(pulse({ running: 3 }));
    server.write('data: {"at": 17000');
    server.streams[0].error(new TypeError('network error'));
    await pass(0);
    expect(live.state.connection).toBe('lost');
    expect(live.state.pulse?.running).toBe(3);
    await pass(1000);
    expect(server.opened).toBe(2);
    server.send(pulse({ running: 4 }));
    await pass(0);
    expect(live.state.connection).toBe('live');
    expect(live.state.pulse?.running).toBe(4);
  });

  it('waits longer after each failure, 15 seconds at the most, and begins anew after a success', async () => {
    server.refuse = { status: 502, message: 'The daemon went away.' };
    await begin();
    for (const wait of [1000, 2000, 4000, 8000, 15_000, 15_000]) {
      const before = server.opened;
      await pass(wait - 1);
      expect(server.opened).toBe(before);
      await pass(1);
      expect(server.opened).toBe(before + 1);
    }
    server.refuse = null;
    await pass(15_000);
    server.send(pulse());
    await pass(0);
    server.streams[0].close();
    await pass(0);
    const before = server.opened;
    await pass(1000);
    expect(server.opened).toBe(before + 1);
  });

  it('takes silence for a break, but not while pings come', async () => {
    await begin();
    server.send(pulse());
    for (let ping = 0; ping < 6; ping++) {
      await pass(5000);
      server.write(': ping\n\n');
      await pass(0);
    }
    expect(live.state.connection).toBe('live');
    expect(server.opened).toBe(1);
    await pass(15_000);
    expect(live.state.connection).toBe('lost');
    await pass(1000);
    expect(server.opened).toBe(2);
  });

  it.each([
    ['text', 'no JSON at all'],
    ['a cut pulse', '{"at": 1, "revision"'],
    ['another value', '[1, 2]'],
    ['null', 'null'],
    ['a pulse without its clock', '{"revision": 1, "protocol": 1, "daemon": "a"}']
  ])('skips %s, and reads on', async (_name, data) => {
    await begin();
    server.write(`data: ${data}\n\n`);
    server.send(pulse({ running: 7 }));
    await pass(0);
    expect(live.state.pulse?.running).toBe(7);
    expect(server.opened).toBe(1);
  });

  it('reads a pulse that comes in pieces, with characters cut in half', async () => {
    await begin();
    const whole = new TextEncoder().encode(
      `data: ${JSON.stringify(pulse({ version: 'λ€😀' }))}\n\n`
    );
    for (const byte of whole) {
      server.streams[0].enqueue(new Uint8Array([byte]));
    }
    await pass(0);
    expect(live.state.pulse?.version).toBe('λ€😀');
  });

  it('does not mind fields that it does not know', async () => {
    await begin();
    server.write(`data: ${JSON.stringify({ ...pulse({ running: 5 }), mood: 'good' })}\n\n`);
    await pass(0);
    expect(live.state.pulse?.running).toBe(5);
  });

  it('says when another daemon answers', async () => {
    await begin();
    const restarted = jest.fn();
    const revised = jest.fn();
    live.restarted.connect(restarted);
    live.revised.connect(revised);
    server.send(pulse({ daemon: 'one', revision: 9 }));
    server.send(pulse({ daemon: 'two', revision: 9 }));
    await pass(0);
    expect(restarted).toHaveBeenCalledTimes(1);
    expect(revised).toHaveBeenCalledTimes(2);
  });

  it('tells times by the daemon, whose clock is an hour ahead', async () => {
    await begin();
    server.send(pulse({ at: Date.now() / 1000 + 3600 }));
    await pass(0);
    expect(live.state.offset).toBeCloseTo(3600, 0);
    expect(live.now()).toBeCloseTo(Date.now() / 1000 + 3600, 0);
  });

  it('says what the proxy says of a newer daemon, and follows it once it is followed', async () => {
    const message = 'The daemon speaks protocol 2 and this package 1: update llmos-jupyter.';
    server.refuse = { status: 409, message };
    await begin();
    expect(live.state).toMatchObject({ connection: 'newer', message });
    server.refuse = null;
    await pass(1000);
    server.send(pulse());
    await pass(0);
    expect(live.state.connection).toBe('live');
  });

  it('says that the page is older than the daemon', async () => {
    await begin();
    server.send({ ...pulse(), protocol: 99 as Pulse['protocol'] });
    await pass(0);
    expect(live.state.connection).toBe('newer');
    expect(live.state.message).toMatch(/reload the page/);
    expect(live.state.pulse).toBeNull();
  });

  it('says that no daemon runs, and follows one that was started, without asking again', async () => {
    await begin();
    server.write('event: absent\ndata: {"message": "No llmos daemon runs."}\n\n');
    await pass(0);
    expect(live.state.connection).toBe('absent');
    expect(live.state.message).toBe('No llmos daemon runs.');
    for (let second = 0; second < 60; second += 5) {
      server.write(': ping\n\n');
      await pass(5_000);
    }
    expect(live.state.connection).toBe('absent');
    server.send(pulse());
    await pass(0);
    expect(live.state.connection).toBe('live');
    // Nothing that fails is asked meanwhile: a browser would write it to its console.
    expect(server.calls.map(path => path.split('/').at(-1))).toEqual(['live', 'utilisation']);
  });

  it('lets go of the stream while nobody sees the page', async () => {
    await begin();
    server.send(pulse({ running: 1 }));
    await pass(0);
    visible('hidden');
    await pass(60_000);
    expect(server.opened).toBe(1);
    expect(live.state.pulse?.running).toBe(1);
    visible('visible');
    await pass(0);
    expect(server.opened).toBe(2);
  });

  it('keeps ten minutes of samples, each moment once', async () => {
    await begin();
    for (const at of [1000, 1001, 1001, 1300, 1700]) {
      server.send(pulse({ sample: sample({ at }) }));
    }
    await pass(0);
    expect(live.state.samples.map(one => one.at)).toEqual([1300, 1700]);
  });

  it('asks nothing any more once it is disposed', async () => {
    await begin();
    live.dispose();
    await pass(60_000);
    expect(server.opened).toBe(1);
  });
});
