/** The side panel: wires what is shown to what the daemon says, and what the user does to what the daemon is told. */
import type { IStateDB } from '@jupyterlab/statedb';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React, { useEffect, useState, useSyncExternalStore } from 'react';

import type { Actions } from './actions';
import { Accordion, type ISection } from './components/accordion';
import { Now } from './components/now';
import { Queue } from './components/queue';
import { llmosIcon } from './icon';
import type { LiveStore } from './live';
import { QueueStore } from './queueStore';
import type { Daemon } from './request';
import type { Queued } from './types';
import { useLive } from './useLive';

const STATE = 'llmos-jupyter:panel';
const OPEN_AT_FIRST = ['now', 'queue'];

export interface IPanelProps {
  daemon: Daemon;
  live: LiveStore;
  actions: Actions;
  /** Where it is remembered which sections are open; null: nowhere. */
  state: IStateDB | null;
}

export class Panel extends ReactWidget {
  private readonly _queue: QueueStore;
  private _open: ReadonlySet<string> = new Set(OPEN_AT_FIRST);

  constructor(private readonly _props: IPanelProps) {
    super();
    this.id = 'llmos-panel';
    this.addClass('jp-llmos-Panel');
    this.title.icon = llmosIcon;
    this.title.caption = 'LLM OS';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'LLM OS');
    const { daemon, state } = _props;
    this._queue = new QueueStore((limit, offset) =>
      daemon.get<Queued[]>('queue', { limit, offset })
    );
    void this._restore(state);
  }

  override dispose(): void {
    this._queue.dispose();
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  protected override render(): JSX.Element {
    return (
      <PanelView
        {...this._props}
        queue={this._queue}
        visible={this.isVisible}
        open={this._open}
        onToggle={this._toggle}
      />
    );
  }

  private readonly _toggle = (section: string): void => {
    const open = new Set(this._open);
    if (!open.delete(section)) {
      open.add(section);
    }
    this._open = open;
    this.update();
    void this._props.state?.save(STATE, { open: [...open] });
  };

  private async _restore(state: IStateDB | null): Promise<void> {
    const saved = await state?.fetch(STATE);
    if (
      typeof saved === 'object' &&
      saved !== null &&
      'open' in saved &&
      Array.isArray(saved.open)
    ) {
      this._open = new Set(saved.open.filter(id => typeof id === 'string'));
      this.update();
    }
  }
}

interface IViewProps extends IPanelProps {
  queue: QueueStore;
  visible: boolean;
  open: ReadonlySet<string>;
  onToggle: (section: string) => void;
}

function PanelView(props: IViewProps): JSX.Element {
  const { actions, open, onToggle } = props;
  const sections: ISection[] = [
    { id: 'now', title: 'Now', body: () => <NowSection {...props} /> },
    { id: 'queue', title: 'Queue', body: () => <QueueSection {...props} /> }
  ];
  return (
    <>
      <Said actions={actions} />
      <Accordion sections={sections} open={open} onToggle={onToggle} />
    </>
  );
}

/** What has happened, for those who listen to the screen. */
function Said({ actions }: { actions: Actions }): JSX.Element {
  const [sentence, setSentence] = useState('');
  useEffect(() => {
    const listen = (_: Actions, said: string): void => setSentence(said);
    actions.said.connect(listen);
    return () => {
      actions.said.disconnect(listen);
    };
  }, [actions]);
  return (
    <div className="jp-llmos-Hidden" role="status" aria-live="polite">
      {sentence}
    </div>
  );
}

function NowSection({ live, actions }: IViewProps): JSX.Element {
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

function QueueSection({ live, actions, queue, visible }: IViewProps): JSX.Element {
  const { connection } = useLive(live);
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
    if (!visible) {
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
  }, [live, actions, queue, visible]);
  if (connection === 'absent') {
    return <p>No daemon runs, so that nothing is in the queue.</p>;
  }
  return <Queue queue={queue} now={live.now()} actions={actions} onSelect={actions.select} />;
}
