/** The schedule, as planned and as it was: only what has changed since it was last asked for is asked for again. */
import { Asked } from './asked';
import type { ITaskName } from './components/gantt-words';
import type { Daemon } from './request';
import type { StepRecord, Task } from './types';

/** Seconds of the past that are asked for at first. */
const PAST = 3600;
/** Seconds by which questions overlap: a change may be on its way when the last one is answered. */
const OVERLAP = 5;

export interface ISchedule {
  readonly steps: readonly StepRecord[];
  /** Tasks by identifier, as far as they are known. */
  readonly tasks: ReadonlyMap<string, ITaskName>;
  /** The moment from which on all is known. */
  readonly since: number;
}

export class ScheduleStore {
  readonly asked: Asked<ISchedule>;
  private _steps = new Map<string, StepRecord>();
  private _tasks: ReadonlyMap<string, ITaskName> = new Map();
  private _since: number | null = null;
  private _last: number | null = null;

  /** `now`: the daemon's clock. */
  constructor(
    private readonly _daemon: Daemon,
    private readonly _now: () => number
  ) {
    this.asked = new Asked(() => this._ask());
  }

  /** The user looks further back. */
  earlier(from: number): void {
    if (this._since === null || from < this._since) {
      this._since = from;
      this._last = null;
      this.asked.refresh();
    }
  }

  /** Another daemon answers: what the one before had planned is void. */
  restart(): void {
    this._steps = new Map();
    this._last = null;
    this.asked.refresh();
  }

  private async _ask(): Promise<ISchedule> {
    const now = this._now();
    this._since ??= now - PAST;
    const since = this._since;
    const steps = await this._daemon.get<StepRecord[]>('steps', {
      since: Math.max(0, this._last ?? since)
    });
    this._last = now - OVERLAP;
    for (const step of steps) {
      this._steps.set(step.id, step);
    }
    if (steps.some(step => !this._tasks.has(step.task))) {
      const tasks = await this._daemon.get<Task[]>('tasks', { limit: 1000 });
      this._tasks = new Map([...this._tasks, ...tasks.map(task => [task.id, task] as const)]);
    }
    return { steps: [...this._steps.values()], tasks: this._tasks, since };
  }
}
