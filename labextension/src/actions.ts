/** What a user does to tasks, models and the daemon: told to the daemon, and said aloud how it went. */
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import { type ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import type { IQueueActions } from './components/queueRow';
import { priorityName } from './components/queueRow';
import { bytes } from './format';
import type { Daemon } from './request';
import type { ModelInfo, Queued, Story, Task } from './types';
import { inBackground } from './types';

export class Actions implements IQueueActions {
  private _selected = '';
  private readonly _said = new Signal<this, string>(this);
  private readonly _done = new Signal<this, void>(this);

  constructor(private readonly _daemon: Daemon) {}

  /** The user went to this task, in the queue or the history: it is the one that is asked about. */
  readonly select = (task: string): void => {
    this._selected = task;
  };

  /** One sentence on what has happened, for those who listen to the screen. */
  get said(): ISignal<this, string> {
    return this._said;
  }

  /** Something was changed by hand: what is on screen is to be asked for again. */
  get done(): ISignal<this, void> {
    return this._done;
  }

  readonly cancel = (task: Task): void => {
    this._tell(`tasks/${task.id}/cancel`, undefined, `Task ${task.number} is cancelled.`);
  };

  readonly pause = (task: Task): void => {
    this._tell(`tasks/${task.id}/pause`, undefined, `Task ${task.number} is paused.`);
  };

  readonly resume = (task: Task): void => {
    this._tell(`tasks/${task.id}/resume`, undefined, `Task ${task.number} goes on.`);
  };

  readonly retry = (task: Task): void => {
    this._tell(`tasks/${task.id}/retry`, undefined, `Task ${task.number} runs again.`);
  };

  readonly prioritise = (task: Task, priority: number): void => {
    const said = `Task ${task.number} has priority ${priorityName(priority)}.`;
    this._tell(`tasks/${task.id}/priority`, { priority }, said);
  };

  readonly place = (task: Task, before: Task | null): void => {
    const where = before ? `before task ${before.number}` : 'last in the queue';
    this._tell(
      `tasks/${task.id}/place`,
      { before: before?.id ?? null },
      `Task ${task.number} stands ${where}.`
    );
  };

  readonly unload = (): void => {
    this._tell('models/unload', undefined, 'No model is loaded any more.');
  };

  readonly load = (name: string): void => {
    this._tell('models/load', { name }, `${name} is loaded.`);
  };

  /** Start a daemon where none runs. Resolves when it answers, or when it was said why it does not. */
  async start(): Promise<void> {
    await this.attempt(async () => {
      await this._daemon.start();
      return 'The daemon runs.';
    });
  }

  /** Cancel what runs: of this kernel if something of it does, otherwise the task that has begun last. */
  async cancelRunning(kernel: string | undefined): Promise<void> {
    await this.attempt(async () => {
      const queue = await this._daemon.get<Queued[]>('queue', { limit: 100 });
      const running = queue.map(row => row.task).filter(task => task.state === 'running');
      const own = running.filter(task => task.session.id === kernel && !inBackground(task));
      const chosen = own.length > 0 ? own : running.slice(-1);
      if (chosen.length === 0) {
        return 'Nothing runs.';
      }
      for (const task of chosen) {
        await this._daemon.post(`tasks/${task.id}/cancel`);
      }
      return `Cancelled: task ${chosen.map(task => task.number).join(', ')}.`;
    }, true);
  }

  /** Let the user choose a model that fits this machine, and load it. */
  async chooseModel(): Promise<void> {
    const models = await this.attempt(async () => this._daemon.get<ModelInfo[]>('models'));
    const fitting = models?.filter(model => model.fits) ?? [];
    if (!models || fitting.length === 0) {
      return;
    }
    const labels = fitting.map(
      model =>
        `${model.name} (${model.downloaded ? 'on disk' : `download ${bytes(model.size_bytes)}`})`
    );
    const automatic = Math.max(
      0,
      fitting.findIndex(model => model.automatic)
    );
    const answer = await InputDialog.getItem({
      title: 'Load a model',
      items: labels,
      current: automatic,
      okLabel: 'Load'
    });
    const chosen = fitting[labels.indexOf(answer.value ?? '')];
    if (answer.button.accept && chosen) {
      this.load(chosen.name);
    }
  }

  /** Show why the selected task runs where and when it does. */
  async why(): Promise<void> {
    if (!this._selected) {
      this.say('No task is selected: choose one in the queue of the LLM OS panel.', true);
      return;
    }
    const story = await this.attempt(async () => {
      const task = encodeURIComponent(this._selected);
      return this._daemon.get<Story>(`tasks/${task}/story`);
    });
    if (story === undefined) {
      return;
    }
    const body = new Widget({ node: document.createElement('pre') });
    body.node.textContent = story.why.join('\n') || 'Nothing is known of why.';
    body.addClass('jp-llmos-Why');
    await showDialog({ title: 'Why', body, buttons: [Dialog.okButton({ label: 'Close' })] });
  }

  /** Say something to all who use the panel; with `shown`, also in a notification. */
  say(sentence: string, shown = false): void {
    this._said.emit(sentence);
    if (shown) {
      Notification.info(sentence, { autoClose: 5000 });
    }
  }

  /** Do something; an error is said and shown, and then the answer is undefined. A sentence that comes back is said. */
  async attempt<T>(act: () => Promise<T>, shown = false): Promise<T | undefined> {
    try {
      const found = await act();
      if (shown && typeof found === 'string') {
        this.say(found, true);
      }
      return found;
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      this._said.emit(sentence);
      Notification.error(sentence, { autoClose: 10_000 });
      return undefined;
    } finally {
      this._done.emit();
    }
  }

  private _tell(
    path: string,
    body: { [name: string]: string | number | null } | undefined,
    said: string
  ): void {
    void this.attempt(async () => {
      await this._daemon.post(path, body);
      this.say(said);
    });
  }
}
