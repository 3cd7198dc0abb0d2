/** What the panel does in notebooks: code into a cell, and the way back to the cell a task came from. */
import { type JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { type INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import type { Task } from './types';

/** Put code where the cursor is in the active notebook: into the cell that is edited, otherwise into a new one below. */
export function insertAtCursor(tracker: INotebookTracker | null, code: string): void {
  const panel = tracker?.currentWidget;
  if (!panel) {
    Notification.warning(
      'No notebook is open: open one, and put the cursor where the code shall go.'
    );
    return;
  }
  const notebook = panel.content;
  const cell = notebook.activeCell;
  if (cell?.model.type === 'code' && cell.editor && notebook.mode === 'edit') {
    cell.editor.replaceSelection?.(code);
  } else {
    NotebookActions.insertBelow(notebook);
    notebook.activeCell?.model.sharedModel.setSource(code);
  }
  panel.activate();
  void NotebookActions.focusActiveCell(notebook);
}

/** Go to the cell that a task came from, in an open notebook or by opening it. */
export async function jumpToCell(
  app: JupyterFrontEnd,
  tracker: INotebookTracker | null,
  task: Task
): Promise<void> {
  const { cell, notebook } = task.session;
  let found: NotebookPanel | undefined | null = tracker?.find(panel => indexOf(panel, cell) >= 0);
  if (!found && notebook) {
    found = await opened(app, notebook);
  }
  const index = found ? indexOf(found, cell) : -1;
  if (!found) {
    Notification.warning(
      `The notebook of task ${task.number} is not known here: open it, and try again.`
    );
  } else if (index < 0) {
    app.shell.activateById(found.id);
    Notification.warning(`The cell of task ${task.number} is no longer in this notebook.`);
  } else {
    app.shell.activateById(found.id);
    found.content.deselectAll();
    found.content.activeCellIndex = index;
    await found.content.scrollToItem(index, 'smart');
  }
}

function indexOf(panel: NotebookPanel, cell: string): number {
  return cell ? panel.content.widgets.findIndex(widget => widget.model.id === cell) : -1;
}

async function opened(app: JupyterFrontEnd, file: string): Promise<NotebookPanel | null> {
  const path = pathUnder(PageConfig.getOption('serverRoot'), file);
  if (path === null) {
    return null;
  }
  try {
    const widget: unknown = await app.commands.execute('docmanager:open', { path });
    if (widget instanceof NotebookPanel) {
      await widget.context.ready;
      await widget.revealed;
      return widget;
    }
  } catch {
    // moved or deleted: said by the caller
  }
  return null;
}

/** The path of a file as the Jupyter server names it; null if the file is not under its root, which may begin with ~. */
export function pathUnder(root: string, file: string): string | null {
  const normal = file.replace(/\\/g, '/');
  const folder = root.replace(/\\/g, '/').replace(/\/+$/, '');
  if (!normal.startsWith('/') && !/^[A-Za-z]:/.test(normal)) {
    return normal;
  }
  const end = `${folder.replace(/^~/, '')}/`;
  const at = folder.startsWith('~') ? normal.indexOf(end) : normal.startsWith(end) ? 0 : -1;
  return at < 0 ? null : normal.slice(at + end.length);
}
