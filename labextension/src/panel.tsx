/** The side panel. */
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { llmosIcon } from './icon';

export class Panel extends ReactWidget {
  constructor() {
    super();
    this.id = 'llmos-panel';
    this.addClass('jp-llmos-Panel');
    this.title.icon = llmosIcon;
    this.title.caption = 'LLM OS';
  }

  protected override render(): JSX.Element {
    return <div />;
  }
}
