/** Something that is asked of the daemon, and asked again when it may have changed. */
import { type ISignal, Signal } from '@lumino/signaling';

export interface IAsked<T> {
  /** The last answer; null: none has come yet. */
  readonly value: T | null;
  /** The sentence of the last error; empty if the last answer came. */
  readonly error: string;
  readonly loading: boolean;
}

/** Keeps the last answer until the next has come, and never asks twice at once. */
export class Asked<T> {
  private _state: IAsked<T> = { value: null, error: '', loading: false };
  private _again = false;
  private _last = 0;
  private _timer: ReturnType<typeof setTimeout> | null = null;
  private _disposed = false;
  private readonly _changed = new Signal<this, void>(this);

  /** `pace`: milliseconds between two questions: the daemon may change more often than people read. */
  constructor(
    private readonly _ask: () => Promise<T>,
    private readonly _pace = 1000
  ) {}

  get state(): IAsked<T> {
    return this._state;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Ask, soon. */
  refresh(): void {
    if (this._timer !== null || this._disposed) {
      return;
    }
    if (this._state.loading) {
      this._again = true;
      return;
    }
    const wait = Math.max(0, this._last + this._pace - Date.now());
    this._timer = setTimeout(() => {
      this._timer = null;
      void this._now();
    }, wait);
  }

  /** An answer that came another way. */
  set(value: T): void {
    this._set({ value });
  }

  dispose(): void {
    this._disposed = true;
    if (this._timer !== null) {
      clearTimeout(this._timer);
    }
    Signal.clearData(this);
  }

  private async _now(): Promise<void> {
    this._again = false;
    this._last = Date.now();
    this._set({ loading: true });
    try {
      const value = await this._ask();
      this._set({ value, error: '', loading: false });
    } catch (error) {
      this._set({ error: error instanceof Error ? error.message : String(error), loading: false });
    }
    if (this._again) {
      this.refresh();
    }
  }

  private _set(change: Partial<IAsked<T>>): void {
    if (!this._disposed) {
      this._state = { ...this._state, ...change };
      this._changed.emit();
    }
  }
}
