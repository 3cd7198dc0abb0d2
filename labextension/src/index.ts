/** The plugins of llmos-jupyter. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import type { IDisposable } from '@lumino/disposable';

import { Actions } from './actions';
import { answerPlugin } from './answer/plugin';
import { addCommands } from './commands';
import type { ISurroundings } from './components/sections';
import { LiveStore } from './live';
import { Cursor, hasCell, insertCode, showCell } from './notebooks';
import { Panel } from './panel';
import { Daemon } from './request';
import { StatusItem } from './status';
import { Stores } from './stores';

const PLUGIN = 'llmos-jupyter:plugin';

const panel: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'The side panel of the LLM OS, its commands and its item in the status bar.',
  autoStart: true,
  optional: [
    INotebookTracker,
    IDocumentManager,
    ICommandPalette,
    ILayoutRestorer,
    IStatusBar,
    IStateDB,
    ISettingRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    documents: IDocumentManager | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    statusBar: IStatusBar | null,
    state: IStateDB | null,
    settings: ISettingRegistry | null
  ) => {
    const daemon = new Daemon(app.serviceManager.serverSettings);
    const live = new LiveStore(daemon);
    const actions = new Actions(daemon);
    const around = surroundings(app, tracker, documents);
    const panel = new Panel({ stores: new Stores(daemon, live, actions), around, state });
    app.shell.add(panel, 'right', { rank: 900, type: 'LLM OS' });
    restorer?.add(panel, panel.id);
    const open = (): void => app.shell.activateById(panel.id);
    addCommands(app, actions, open, tracker, palette);
    const addItem = (): IDisposable | undefined =>
      statusBar?.registerStatusItem('llmos-jupyter:status', {
        item: new StatusItem(live, open),
        align: 'right',
        rank: 90
      });
    if (settings) {
      void follow(settings, app, panel, addItem);
    } else {
      addItem();
    }
  }
};

/** Do as the panel's own settings say, now and when they change. */
async function follow(
  registry: ISettingRegistry,
  app: JupyterFrontEnd,
  panel: Panel,
  addItem: () => IDisposable | undefined
): Promise<void> {
  const settings = await registry.load(PLUGIN);
  let side = 'right';
  let item: IDisposable | undefined;
  const apply = (): void => {
    const shown = settings.get('statusBar').composite !== false;
    if (shown && !item) {
      item = addItem();
    } else if (!shown) {
      item?.dispose();
      item = undefined;
    }
    const wanted = settings.get('side').composite === 'left' ? 'left' : 'right';
    if (wanted !== side) {
      side = wanted;
      app.shell.add(panel, side, { rank: 900, type: 'LLM OS' });
    }
  };
  settings.changed.connect(apply);
  apply();
}

/** What can be done in notebooks; on a page that shows none, as Notebook's file browser, little. */
function surroundings(
  app: JupyterFrontEnd,
  tracker: INotebookTracker | null,
  documents: IDocumentManager | null
): ISurroundings {
  const cursor = tracker && new Cursor(tracker);
  return {
    insert: code => {
      if (tracker && cursor) {
        insertCode(code, tracker, app.shell, cursor);
      } else {
        Notification.warning('Open a notebook first: the code goes where its cursor is.');
      }
    },
    hasCell: task => tracker !== null && documents !== null && hasCell(task, tracker),
    showCell: task => {
      if (tracker && documents) {
        void showCell(task, tracker, app.shell, documents);
      }
    },
    openSettings: () => void app.commands.execute('settingeditor:open', { query: 'LLM OS' })
  };
}

export default [panel, answerPlugin];
