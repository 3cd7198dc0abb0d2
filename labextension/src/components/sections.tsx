/** The panel's sections: each joins a component to its store, and what the user does in it to what the daemon is told. */
import React, { useEffect, useRef, useState, useSyncExternalStore } from 'react';

import type { Stores } from '../stores';
import type { Code, Story, Task } from '../types';
import { useAsked } from '../useAsked';
import { useLive } from '../useLive';
import { Gantt } from './gantt';
import { History } from './history';
import { Models } from './models';
import { Now } from './now';
import { Queue } from './queue';
import { Settings } from './settings';

/** What the panel does in the notebooks around it. */
export interface ISurroundings {
  insert: (code: string) => void;
  hasCell: (task: Task) => boolean;
  showCell: (task: Task) => void;
  openSettings: () => void;
}

export interface ISectionProps {
  stores: Stores;
  around: ISurroundings;
  /** Somebody can see the panel: what nobody sees is not asked for, nor while the connection is away. */
  visible: boolean;
}

export function NowSection({ stores }: ISectionProps): JSX.Element {
  const { live, actions } = stores;
  const state = useLive(live);
  const [starting, setStarting] = useState(false);
  const start = async (): Promise<void> => {
    setStarting(true);
    await actions.start();
    setStarting(false);
    live.reconnect();
  };
  return <Now live={state} starting={starting} onStart={() => void start()} />;
}

export function QueueSection({ stores, visible }: ISectionProps): JSX.Element {
  const { live, actions, queue } = stores;
  const { connection } = useLive(live);
  const asking = visible && connection === 'live';
  useSyncExternalStore(
    listener => {
      queue.changed.connect(listener);
      return () => {
        queue.changed.disconnect(listener);
      };
    },
    () => queue.state
  );
  useEffect(() => {
    if (!asking) {
      return;
    }
    const refresh = (): void => queue.refresh();
    refresh();
    live.revised.connect(refresh);
    actions.done.connect(refresh);
    return () => {
      live.revised.disconnect(refresh);
      actions.done.disconnect(refresh);
    };
  }, [live, actions, queue, asking]);
  if (connection === 'absent') {
    return <p>No daemon runs, so that nothing is in the queue.</p>;
  }
  return <Queue queue={queue} now={live.now()} actions={actions} onSelect={actions.select} />;
}

export function ScheduleSection(
  props: ISectionProps & { onTask: (task: string) => void }
): JSX.Element {
  const { stores, visible, onTask } = props;
  const { live, schedule } = stores;
  const { connection } = useLive(live);
  const asking = visible && connection === 'live';
  const { value, error } = useAsked(schedule.asked, asking, live.revised);
  return (
    <>
      <Problem error={error} />
      {value === null && !error && (
        <p role="status">{asking ? 'Asking for the schedule.' : 'No daemon is connected.'}</p>
      )}
      {value && (
        <Gantt
          steps={value.steps}
          tasks={value.tasks}
          now={live.now()}
          since={value.since}
          onEarlier={from => schedule.earlier(from)}
          onTask={onTask}
        />
      )}
    </>
  );
}

export function HistorySection(props: ISectionProps & { opened: string | null }): JSX.Element {
  const { stores, around, visible, opened } = props;
  const { live, actions, daemon, history } = stores;
  const { connection } = useLive(live);
  const asking = visible && connection === 'live';
  const { value, error, loading } = useAsked(history.asked, asking, live.revised);
  const update = async (asked: Promise<Task>): Promise<void> => history.update(await asked);
  return (
    <History
      tasks={value?.tasks ?? []}
      more={value?.more ?? false}
      loading={loading && value === null}
      error={error}
      search={value?.search ?? ''}
      now={live.now()}
      opened={opened}
      onSearch={words => history.search(words)}
      onMore={before => history.older(before)}
      onFeedback={(task, feedback) =>
        void actions.attempt(() => update(daemon.post(`tasks/${task.id}/feedback`, { feedback })))
      }
      onInsert={task =>
        void actions.attempt(async () =>
          around.insert((await daemon.get<Code>(`tasks/${task.id}/code`)).code)
        )
      }
      hasCell={around.hasCell}
      onShowCell={around.showCell}
      onRetry={actions.retry}
      onWhy={task => {
        actions.select(task.id);
        return daemon.get<Story>(`tasks/${task.id}/story`);
      }}
    />
  );
}

export function ModelsSection({ stores, visible }: ISectionProps): JSX.Element {
  const { live, actions, daemon, models } = stores;
  const { connection, pulse } = useLive(live);
  const asking = visible && connection === 'live';
  const { value, error } = useAsked(models, asking, actions.done, live.restarted);
  // A download or load that has ended may have been begun elsewhere.
  const busy = Boolean(pulse?.progress);
  const loaded = pulse?.engines.map(engine => engine.model).join(' ');
  const first = useRef(true);
  useEffect(() => {
    if (!first.current && asking) {
      models.refresh();
    }
    first.current = false;
  }, [models, asking, busy, loaded]);
  const then = async (done: Promise<unknown>): Promise<unknown> => {
    try {
      return await done;
    } finally {
      models.refresh();
    }
  };
  return (
    <Models
      models={value}
      error={error}
      engines={pulse?.engines ?? []}
      now={live.now()}
      progress={pulse?.progress ?? null}
      onPull={name => then(daemon.post('models/pull', { name }))}
      onLoad={name => then(daemon.post('models/load', { name }))}
      onUnload={name =>
        then(daemon.post(`models/unload?${new URLSearchParams({ model: name }).toString()}`))
      }
      onPin={(name, pinned) => then(daemon.post('models/pin', { name, pinned }))}
      onRemove={name => then(daemon.post('models/remove', { name }))}
    />
  );
}

export function SettingsSection({ stores, around, visible }: ISectionProps): JSX.Element {
  const { daemon, live, settings } = stores;
  const { connection } = useLive(live);
  const asking = visible && connection === 'live';
  const { value, error } = useAsked(settings, asking, live.restarted);
  return (
    <Settings
      settings={value}
      error={error}
      onChange={async (name, changed) => {
        settings.set(await daemon.post('settings', { name, value: changed }));
      }}
      onOpenPanelSettings={around.openSettings}
    />
  );
}

function Problem({ error }: { error: string }): JSX.Element | null {
  return error ? (
    <p role="status" className="jp-llmos-Warning" dir="auto">
      {error}
    </p>
  ) : null;
}
