/** What a user wants of all answers: kept in JupyterLab's state, so that it is there after a reload. */
import type { IStateDB } from '@jupyterlab/statedb';
import { Signal, type ISignal } from '@lumino/signaling';

const KEY = 'llmos-jupyter:answer';

export class Preferences {
  constructor(private readonly state: IStateDB | null) {
    void this.restore();
  }

  /** Whether code is shaded where the model was unsure. */
  get confidence(): boolean {
    return this.shaded;
  }

  set confidence(wanted: boolean) {
    this.chosen = true;
    this.become(wanted);
    // Where it cannot be kept, it holds until the page is left.
    this.state?.save(KEY, { confidence: wanted }).catch(() => undefined);
  }

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  private async restore(): Promise<void> {
    const kept = await this.state?.fetch(KEY).catch(() => undefined);
    if (!this.chosen && typeof kept === 'object' && kept !== null && 'confidence' in kept) {
      this.become(kept.confidence === true);
    }
  }

  private become(wanted: boolean): void {
    if (wanted !== this.shaded) {
      this.shaded = wanted;
      this.signal.emit();
    }
  }

  private shaded = false;
  private chosen = false;
  private readonly signal = new Signal<this, void>(this);
}
