/** The plugins of llmos-jupyter. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';

import { Actions } from './actions';
import { answerPlugin } from './answer/plugin';
import { addCommands } from './commands';
import { LiveStore } from './live';
import { Panel } from './panel';
import { Daemon } from './request';
import { StatusItem } from './status';

const panel: JupyterFrontEndPlugin<void> = {
  id: 'llmos-jupyter:plugin',
  description: 'The side panel of the LLM OS, its commands and its item in the status bar.',
  autoStart: true,
  optional: [INotebookTracker, ICommandPalette, ILayoutRestorer, IStatusBar, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    statusBar: IStatusBar | null,
    state: IStateDB | null
  ) => {
    const daemon = new Daemon(app.serviceManager.serverSettings);
    const live = new LiveStore(daemon);
    const actions = new Actions(daemon);
    const panel = new Panel({ daemon, live, actions, state });
    app.shell.add(panel, 'right', { rank: 900, type: 'LLM OS' });
    restorer?.add(panel, panel.id);
    const open = (): void => app.shell.activateById(panel.id);
    addCommands(app, actions, open, tracker, palette);
    statusBar?.registerStatusItem('llmos-jupyter:status', {
      item: new StatusItem(live, open),
      align: 'right',
      rank: 90
    });
  }
};

export default [panel, answerPlugin];
