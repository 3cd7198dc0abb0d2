/**
 * How things stand, told by the daemon's live stream of pulses: reads it, opens it again when it breaks, and says when
 * the queue has changed. Knows nothing of React.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { createParser } from 'eventsource-parser';

import { Daemon, NOT_RUNNING, OTHER_PROTOCOL, RequestError } from './request';
import type { Protocol, Pulse, Sample } from './types';

/** Checked by the compiler: a daemon that speaks another one makes these types wrong. */
const PROTOCOL: Protocol = 1;
/** Seconds until a broken stream is opened again, the last for ever. */
const WAITS = [1, 2, 4, 8, 15];
/** Seconds without a byte after which a stream counts as broken: the daemon says something every 5. */
const SILENCE = 15;
/** The proxy's event where no daemon runs: the stream stays open, and pulses follow as soon as one does. */
const ABSENT = 'absent';
/** Seconds of samples kept for sparklines: what the daemon keeps. */
const KEPT = 600;

/**
 * `connecting`: nothing is known yet. `live`: pulses come. `lost`: the stream broke and is opened again; what was known
 * stays. `absent`: no daemon runs. `newer`: the daemon speaks another protocol than this panel.
 */
export type Connection = 'connecting' | 'live' | 'lost' | 'absent' | 'newer';

export interface ILiveState {
  readonly connection: Connection;
  /** One sentence on a connection that is not live. */
  readonly message: string;
  readonly pulse: Pulse | null;
  /** The last ten minutes, oldest first, by the daemon's clock. */
  readonly samples: readonly Sample[];
  /** Seconds that the daemon's clock is ahead of this browser's. */
  readonly offset: number;
}

export class LiveStore implements IDisposable {
  private _state: ILiveState = {
    connection: 'connecting',
    message: 'Asking the daemon how things stand.',
    pulse: null,
    samples: [],
    offset: 0
  };
  private readonly _changed = new Signal<this, void>(this);
  private readonly _revised = new Signal<this, void>(this);
  private readonly _restarted = new Signal<this, void>(this);
  private _stream: AbortController | null = null;
  private _retry: ReturnType<typeof setTimeout> | null = null;
  private _failures = 0;
  private _disposed = false;

  constructor(private readonly _daemon: Daemon) {
    document.addEventListener('visibilitychange', this._onVisibility);
    this._onVisibility();
  }

  get state(): ILiveState {
    return this._state;
  }

  /** Something in `state` is new. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A task or a step has changed: what is visible is to be asked for again. */
  get revised(): ISignal<this, void> {
    return this._revised;
  }

  /** Another daemon than before answers: what is known of tasks' steps and revisions begins anew. */
  get restarted(): ISignal<this, void> {
    return this._restarted;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** Seconds since the epoch by the daemon's clock, by which all its times are told. */
  now(): number {
    return Date.now() / 1000 + this._state.offset;
  }

  /** Open the stream at once, for instance because a daemon was just started. */
  reconnect(): void {
    this._failures = 0;
    this._close();
    this._onVisibility();
  }

  dispose(): void {
    this._disposed = true;
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._close();
    Signal.clearData(this);
  }

  /** The stream is open only while somebody can see the page: a browser has six connections to a server. */
  private readonly _onVisibility = (): void => {
    if (document.visibilityState === 'hidden') {
      this._close();
    } else if (this._stream === null && !this._disposed) {
      this._cancelRetry();
      void this._open();
    }
  };

  private async _open(): Promise<void> {
    const stream = new AbortController();
    this._stream = stream;
    let silence = setTimeout(() => stream.abort(), SILENCE * 1000);
    try {
      const response = await this._daemon.live(stream.signal);
      const reader = response.body?.getReader();
      if (!reader) {
        throw new RequestError(0, 'The live stream is empty.');
      }
      const decoder = new TextDecoder();
      const parser = createParser({
        onEvent: ({ event, data }) =>
          event === ABSENT ? this._missed(data) : this._receive(data, stream.signal)
      });
      for (;;) {
        const { done, value } = await abortable(reader, stream.signal);
        if (done) {
          break;
        }
        clearTimeout(silence);
        silence = setTimeout(() => stream.abort(), SILENCE * 1000);
        parser.feed(decoder.decode(value, { stream: true }));
      }
      this._broke(stream, null);
    } catch (error) {
      this._broke(stream, error);
    } finally {
      clearTimeout(silence);
      stream.abort(); // lets go of the connection, if it is still there
    }
  }

  /** The stream has ended, by itself or not: say so and open it again, unless it was closed on purpose. */
  private _broke(stream: AbortController, error: unknown): void {
    if (this._stream !== stream) {
      return;
    }
    this._stream = null;
    const status = error instanceof RequestError ? error.status : 0;
    if (status === NOT_RUNNING) {
      this._set({ connection: 'absent', message: (error as RequestError).message });
    } else if (status === OTHER_PROTOCOL) {
      this._set({ connection: 'newer', message: (error as RequestError).message });
    } else if (this._state.connection !== 'newer') {
      const why = error instanceof RequestError ? error.message : 'The connection was lost.';
      this._set({ connection: 'lost', message: why });
    }
    const wait = WAITS[Math.min(this._failures, WAITS.length - 1)];
    this._failures += 1;
    this._retry = setTimeout(this._onVisibility, wait * 1000);
  }

  private _missed(data: string): void {
    this._failures = 0;
    this._set({ connection: 'absent', message: (JSON.parse(data) as { message: string }).message });
  }

  private _receive(data: string, signal: AbortSignal): void {
    const pulse = parsePulse(data);
    if (pulse === null) {
      return;
    }
    if (pulse.protocol !== PROTOCOL) {
      const message =
        'The daemon speaks another protocol than this page: reload the page, and if that does not help, ' +
        'update llmos-jupyter and start the Jupyter server again.';
      this._set({ connection: 'newer', message });
      return;
    }
    this._failures = 0;
    const { connection, pulse: before, samples } = this._state;
    this._set({
      connection: 'live',
      message: '',
      pulse,
      samples: merged(samples, pulse.sample ? [pulse.sample] : []),
      offset: pulse.at - Date.now() / 1000
    });
    if (connection !== 'live') {
      this._fetchSamples(samples.at(-1)?.at ?? 0, signal);
    }
    if (before !== null && before.daemon !== pulse.daemon) {
      this._restarted.emit();
    }
    if (before?.daemon !== pulse.daemon || before.revision !== pulse.revision) {
      this._revised.emit();
    }
  }

  /** What happened while nobody looked, for the sparklines. Without it they begin with the pulses. */
  private _fetchSamples(since: number, signal: AbortSignal): void {
    this._daemon.get<Sample[]>('utilisation', { since }, signal).then(
      samples => this._set({ samples: merged(this._state.samples, samples) }),
      () => undefined
    );
  }

  private _close(): void {
    this._cancelRetry();
    const stream = this._stream;
    this._stream = null;
    stream?.abort();
  }

  private _cancelRetry(): void {
    if (this._retry !== null) {
      clearTimeout(this._retry);
      this._retry = null;
    }
  }

  private _set(change: Partial<ILiveState>): void {
    if (!this._disposed) {
      this._state = { ...this._state, ...change };
      this._changed.emit();
    }
  }
}

/** A pulse, or null for something that is none: one spoilt event must not end the stream. Unknown fields are fine. */
function parsePulse(data: string): Pulse | null {
  let found: unknown;
  try {
    found = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null) {
    return null;
  }
  const pulse = found as Pulse;
  const whole =
    Number.isFinite(pulse.at) &&
    Number.isFinite(pulse.revision) &&
    Number.isFinite(pulse.protocol) &&
    typeof pulse.daemon === 'string';
  return whole ? pulse : null;
}

/** Samples of both, each moment once, oldest first, and none older than what is kept. */
function merged(old: readonly Sample[], fresh: readonly Sample[]): readonly Sample[] {
  const last = old.at(-1);
  const only = fresh.length === 1 ? fresh[0] : undefined;
  let all: readonly Sample[];
  if (fresh.length === 0) {
    return old;
  } else if (only && (last === undefined || only.at > last.at)) {
    all = [...old, only];
  } else {
    const byTime = new Map([...old, ...fresh].map(sample => [sample.at, sample]));
    all = [...byTime.values()].sort((one, other) => one.at - other.at);
  }
  const oldest = all[all.length - 1].at - KEPT;
  return all[0].at >= oldest ? all : all.filter(sample => sample.at >= oldest);
}

/** Read on; rejects when the signal aborts, even if the reader does not notice. */
function abortable(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal
): Promise<ReadableStreamReadResult<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new RequestError(0, 'The connection fell silent.'));
      reader.cancel().catch(() => undefined);
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    reader
      .read()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
