/** The side panel. */
import type { IStateDB } from '@jupyterlab/statedb';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React, { useEffect, useState } from 'react';

import type { Actions } from './actions';
import { Accordion, type ISection } from './components/accordion';
import {
  HistorySection,
  type ISurroundings,
  ModelsSection,
  NowSection,
  QueueSection,
  ScheduleSection,
  SettingsSection
} from './components/sections';
import { llmosIcon } from './icon';
import type { Stores } from './stores';

const STATE = 'llmos-jupyter:panel';
const OPEN_AT_FIRST = ['now', 'queue'];

export interface IPanelProps {
  stores: Stores;
  around: ISurroundings;
  /** Where it is remembered which sections are open; null: nowhere. */
  state: IStateDB | null;
}

export class Panel extends ReactWidget {
  private _open: ReadonlySet<string> = new Set(OPEN_AT_FIRST);
  /** The task whose story is to be seen in the history. */
  private _task: string | null = null;

  constructor(private readonly _props: IPanelProps) {
    super();
    this.id = 'llmos-panel';
    this.addClass('jp-llmos-Panel');
    this.title.icon = llmosIcon;
    this.title.caption = 'LLM OS';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'LLM OS');
    void this._restore();
  }

  override dispose(): void {
    this._props.stores.dispose();
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
    const props = { ...this._props, visible: this.isVisible };
    const sections: ISection[] = [
      { id: 'now', title: 'Now', body: () => <NowSection {...props} /> },
      { id: 'queue', title: 'Queue', body: () => <QueueSection {...props} /> },
      {
        id: 'schedule',
        title: 'Schedule',
        body: () => <ScheduleSection {...props} onTask={this._showTask} />
      },
      {
        id: 'history',
        title: 'History',
        body: () => <HistorySection {...props} opened={this._task} />
      },
      { id: 'models', title: 'Models', body: () => <ModelsSection {...props} /> },
      { id: 'settings', title: 'Settings', body: () => <SettingsSection {...props} /> }
    ];
    return (
      <>
        <Said actions={this._props.stores.actions} />
        <Accordion sections={sections} open={this._open} onToggle={this._toggle} />
      </>
    );
  }

  private readonly _toggle = (section: string): void => {
    const open = new Set(this._open);
    if (!open.delete(section)) {
      open.add(section);
    }
    this._openSections(open);
  };

  private readonly _showTask = (task: string): void => {
    this._task = task;
    this._props.stores.actions.select(task);
    this._openSections(new Set([...this._open, 'history']));
  };

  private _openSections(open: ReadonlySet<string>): void {
    this._open = open;
    this.update();
    void this._props.state?.save(STATE, { open: [...open] });
  }

  private async _restore(): Promise<void> {
    const before = this._open;
    const saved = await this._props.state?.fetch(STATE);
    // What was opened or closed meanwhile stays so.
    if (
      this._open === before &&
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
