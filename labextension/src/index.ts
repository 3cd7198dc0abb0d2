/** The plugins of llmos-jupyter. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { answerPlugin } from './answer/plugin';
import { Panel } from './panel';

const panel: JupyterFrontEndPlugin<void> = {
  id: 'llmos-jupyter:plugin',
  description: 'The side panel of the LLM OS.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    app.shell.add(new Panel(), 'right', { rank: 900 });
  }
};

export default [panel, answerPlugin];
