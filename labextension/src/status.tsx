/** The status bar's item: how the model and the queue stand, in a few words. A click opens the panel. */
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { modelSize, rate } from './format';
import type { ILiveState, LiveStore } from './live';
import { useLive } from './useLive';

/** For instance "LLM OS: 1.5B ready · 2 running · 13 tok/s". */
export function statusText(state: ILiveState): string {
  const { connection, pulse } = state;
  if (connection === 'absent') {
    return 'LLM OS: not running';
  }
  if (connection === 'newer') {
    return 'LLM OS: reload the page';
  }
  if (connection === 'lost') {
    return 'LLM OS: connecting again';
  }
  if (!pulse) {
    return 'LLM OS';
  }
  // The one in use, or used last.
  const [engine] = pulse.engines;
  const parts = [engine ? `${modelSize(engine.model)} ${engine.state}` : 'no model loaded'];
  if (pulse.progress && pulse.progress.total > 0) {
    parts.push(
      `${pulse.progress.phase} ${Math.floor((100 * pulse.progress.done) / pulse.progress.total)} %`
    );
  }
  if (pulse.running > 0) {
    parts.push(`${pulse.running} running`);
  }
  if (pulse.waiting > 0) {
    parts.push(`${pulse.waiting} waiting`);
  }
  const written = pulse.sample?.engine?.tokens_per_second ?? 0;
  if (written > 0) {
    parts.push(`${rate(written)} tok/s`);
  }
  return `LLM OS: ${parts.join(' · ')}`;
}

function Item({ live, onClick }: { live: LiveStore; onClick: () => void }): JSX.Element {
  const state = useLive(live);
  return (
    <button
      type="button"
      className="jp-llmos-Status"
      title={state.message || 'Open the LLM OS panel'}
      onClick={onClick}
    >
      {statusText(state)}
    </button>
  );
}

export class StatusItem extends ReactWidget {
  constructor(
    private readonly _live: LiveStore,
    private readonly _open: () => void
  ) {
    super();
    this.addClass('jp-llmos-StatusItem');
  }

  protected override render(): JSX.Element {
    return <Item live={this._live} onClick={this._open} />;
  }
}
