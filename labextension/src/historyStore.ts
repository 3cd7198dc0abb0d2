/** Tasks that have ended, newest first by pages, searched by the daemon. */
import { Asked } from './asked';
import type { Daemon } from './request';
import type { Task } from './types';

/** Tasks of one page. */
const PAGE = 50;
const ENDED = ['done', 'failed', 'cancelled'];

export interface IHistory {
  readonly tasks: readonly Task[];
  /** There may be older ones. */
  readonly more: boolean;
  readonly search: string;
}

export class HistoryStore {
  readonly asked: Asked<IHistory>;
  private _search = '';
  private _before: number | undefined;

  constructor(private readonly _daemon: Daemon) {
    this.asked = new Asked(() => this._ask());
  }

  search(words: string): void {
    this._search = words;
    this._before = undefined;
    this.asked.refresh();
  }

  /** Ask for tasks older than this number too. */
  older(before: number): void {
    this._before = before;
    this.asked.refresh();
  }

  /** A task as the daemon has just told it. */
  update(task: Task): void {
    const known = this.asked.state.value;
    if (known) {
      const others = known.tasks.filter(one => one.id !== task.id);
      const tasks = ENDED.includes(task.state) ? [...others, task] : others;
      this.asked.set({ ...known, tasks });
    }
  }

  /** The newest page; with it the page that was asked for, if any. Other pages stay as they were. */
  private async _ask(): Promise<IHistory> {
    const search = this._search;
    const before = this._before;
    this._before = undefined;
    const newest = await this._page(search, undefined);
    const older = before === undefined ? [] : await this._page(search, before);
    const known = this.asked.state.value;
    const same = known?.search === search ? known : null;
    const oldest = newest[0]?.number ?? 0;
    const kept =
      newest.length < PAGE ? [] : (same?.tasks ?? []).filter(task => task.number < oldest);
    const all = new Map([...kept, ...older, ...newest].map(task => [task.id, task]));
    const last = before !== undefined ? older : same && kept.length > 0 ? null : newest;
    return {
      tasks: [...all.values()],
      more: last === null ? (same?.more ?? false) : last.length === PAGE,
      search
    };
  }

  private async _page(search: string, before: number | undefined): Promise<Task[]> {
    return this._daemon.get<Task[]>('tasks', {
      state: ENDED,
      limit: PAGE,
      search: search || undefined,
      before
    });
  }
}
