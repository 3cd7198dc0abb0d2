/** All that the panel knows of the daemon. What is shown stays when the panel is hidden and a section closed. */
import type { Actions } from './actions';
import { Asked } from './asked';
import { HistoryStore } from './historyStore';
import type { LiveStore } from './live';
import { QueueStore } from './queueStore';
import type { Daemon } from './request';
import { ScheduleStore } from './scheduleStore';
import type { Config, ModelInfo, Queued } from './types';

export class Stores {
  readonly queue: QueueStore;
  readonly schedule: ScheduleStore;
  readonly history: HistoryStore;
  readonly models: Asked<ModelInfo[]>;
  readonly settings: Asked<Config>;

  constructor(
    readonly daemon: Daemon,
    readonly live: LiveStore,
    readonly actions: Actions
  ) {
    this.queue = new QueueStore((limit, offset) =>
      daemon.get<Queued[]>('queue', { limit, offset })
    );
    this.schedule = new ScheduleStore(daemon, () => live.now());
    this.history = new HistoryStore(daemon);
    this.models = new Asked(() => daemon.get<ModelInfo[]>('models'));
    this.settings = new Asked(() => daemon.get<Config>('settings'));
    live.restarted.connect(() => this.schedule.restart());
  }

  dispose(): void {
    this.queue.dispose();
    for (const asked of [this.schedule.asked, this.history.asked, this.models, this.settings]) {
      asked.dispose();
    }
  }
}
