/**
 * The queue by windows: 10,000 tasks may wait, and only those on screen are asked for. Rows that were seen stay until
 * newer ones come, so that nothing jumps or flickers meanwhile.
 */
import { type ISignal, Signal } from '@lumino/signaling';

import type { Queued } from './types';

/** Rows of one window. */
const PAGE = 50;
/** Milliseconds between two times the same window is asked for: the daemon may change more often than people read. */
const PACE = 500;
/** Windows that are asked for at the same time. */
const AT_ONCE = 2;

export interface IQueueState {
  /** How many tasks have not ended; null until known. */
  readonly total: number | null;
  /** The sentence of the last error, empty if the last window came. */
  readonly error: string;
  /** Raised whenever a row may have changed. */
  readonly version: number;
}

export class QueueStore {
  private _state: IQueueState = { total: null, error: '', version: 0 };
  private _pages = new Map<number, readonly Queued[]>();
  private _stale = new Set<number>();
  private _asking = new Set<number>();
  private _visible: readonly number[] = [0];
  private _lastRefresh = 0;
  private _refreshTimer: ReturnType<typeof setTimeout> | null = null;
  private _disposed = false;
  private readonly _changed = new Signal<this, void>(this);

  /** `ask` answers the tasks that have not ended, in the order in which they run, from `offset` on. */
  constructor(private readonly _ask: (limit: number, offset: number) => Promise<Queued[]>) {}

  get state(): IQueueState {
    return this._state;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The task at this place; undefined until its window has come. */
  row(index: number): Queued | undefined {
    return this._pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Where a task stands, if its window is known; -1 if not. */
  indexOf(task: string): number {
    for (const [page, rows] of this._pages) {
      const found = rows.findIndex(row => row.task.id === task);
      if (found >= 0) {
        return page * PAGE + found;
      }
    }
    return -1;
  }

  /** These rows are on screen: ask for what is missing of them. */
  show(first: number, last: number): void {
    const pages = [];
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) {
      pages.push(page);
    }
    this._visible = pages;
    this._next();
  }

  /** The queue has changed: ask again for what is on screen, and for the rest when it comes there. */
  refresh(): void {
    if (this._refreshTimer !== null || this._disposed) {
      return;
    }
    const wait = Math.max(0, this._lastRefresh + PACE - Date.now());
    this._refreshTimer = setTimeout(() => {
      this._refreshTimer = null;
      this._lastRefresh = Date.now();
      // What is just being asked for was asked before this change.
      this._stale = new Set([...this._pages.keys(), ...this._asking, ...this._visible]);
      this._next();
    }, wait);
  }

  /**
   * Ask for what is missing on screen. A few at a time: what has been scrolled away meanwhile is not asked for at all.
   */
  private _next(): void {
    for (const page of this._visible) {
      const { total } = this._state;
      const beyond = total !== null && page > 0 && page * PAGE >= total;
      const missing = !this._pages.has(page) || this._stale.has(page);
      if (missing && !beyond && !this._asking.has(page) && this._asking.size < AT_ONCE) {
        void this._fetch(page);
      }
    }
  }

  dispose(): void {
    if (this._refreshTimer !== null) {
      clearTimeout(this._refreshTimer);
    }
    this._disposed = true;
    Signal.clearData(this);
  }

  private async _fetch(page: number): Promise<void> {
    this._asking.add(page);
    this._stale.delete(page);
    let rows: Queued[];
    try {
      rows = await this._ask(PAGE, page * PAGE);
    } catch (error) {
      this._asking.delete(page);
      this._stale.add(page);
      this._set({ error: error instanceof Error ? error.message : String(error) });
      return;
    }
    this._asking.delete(page);
    if (rows.length === 0 && page > 0) {
      this._pages.delete(page); // the queue has become shorter than this: its beginning tells how long it is
      await this._fetch(0);
      return;
    }
    const total = page * PAGE + rows.length + (rows[0]?.more ?? 0);
    this._pages.set(page, rows);
    this._forget(Math.ceil(total / PAGE));
    this._set({ total, error: '' });
    this._next();
  }

  /** Drop windows beyond the end. */
  private _forget(pages: number): void {
    for (const page of this._pages.keys()) {
      if (page >= pages && page > 0) {
        this._pages.delete(page);
      }
    }
  }

  private _set(change: Partial<IQueueState>): void {
    if (this._disposed) {
      return;
    }
    this._state = { ...this._state, ...change, version: this._state.version + 1 };
    this._changed.emit();
  }
}
