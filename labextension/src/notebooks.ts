/** From a task to the notebook and the cell it came from, and from code to the place where the user was typing. */
import { Notification } from '@jupyterlab/apputils';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { PageConfig } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import {
  type INotebookTracker,
  type Notebook,
  NotebookActions,
  type NotebookPanel
} from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

import type { Task } from './types';

/** Brings a widget of the main area to the front; JupyterFrontEnd.IShell does. */
export interface IShell {
  activateById(id: string): void;
}

/**
 * Where the user was last typing in a notebook, which is where code goes. Going to the side panel, by mouse or by Tab,
 * changes nothing about it; leaving the editor within the notebook does.
 */
export class Cursor implements IDisposable {
  private _last: { notebook: Notebook; cell: string } | null = null;
  private _disposed = false;

  constructor(private readonly _tracker: INotebookTracker) {
    document.addEventListener('focusin', this._onFocus);
  }

  /** The editor of a code cell that the user was last in, and its notebook; null where there is none any more. */
  get place(): { notebook: Notebook; editor: CodeEditor.IEditor } | null {
    const notebook = this._tracker.currentWidget?.content;
    if (!notebook || this._last?.notebook !== notebook) {
      return null;
    }
    const cell = notebook.widgets.find(one => one.model.id === this._last?.cell);
    const editor = cell?.model.type === 'code' ? cell.editor : null;
    return editor ? { notebook, editor } : null;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this._last = null;
    document.removeEventListener('focusin', this._onFocus);
  }

  private readonly _onFocus = (event: FocusEvent): void => {
    const target = event.target;
    const panel = this._tracker.find(
      one => target instanceof Node && one.content.node.contains(target)
    );
    if (!panel) {
      return;
    }
    const cell = panel.content.widgets.find(one => one.editorWidget?.node.contains(target as Node));
    this._last = cell ? { notebook: panel.content, cell: cell.model.id } : null;
  };
}

/** The open notebook a task came from: by its kernel, else the one whose path ends the notebook's most exactly. */
export function findNotebook(task: Task, tracker: INotebookTracker): NotebookPanel | null {
  const { id, notebook } = task.session;
  const byKernel = tracker.find(panel => panel.sessionContext.session?.kernel?.id === id);
  if (byKernel) {
    return byKernel;
  }
  const wanted = slashes(notebook);
  let best: NotebookPanel | null = null;
  tracker.forEach(panel => {
    const path = localPath(panel.context.path);
    const matches = path !== '' && (wanted === path || wanted.endsWith(`/${path}`));
    if (matches && path.length > (best ? localPath(best.context.path).length : 0)) {
      best = panel;
    }
  });
  return best;
}

/** The path of a task's notebook as the server tells it; null where it lies elsewhere, or its place is not known. */
export function serverPath(task: Task, root = PageConfig.getOption('serverRoot')): string | null {
  const wanted = slashes(task.session.notebook);
  let base = slashes(root).replace(/\/+$/, '');
  if (!wanted.endsWith('.ipynb')) {
    return null;
  }
  if (base.startsWith('~')) {
    // JupyterLab is told the root with "~" for the home folder.
    const home = /^(?:[A-Za-z]:)?\/(?:root|(?:home|Users)\/[^/]+)(?=\/)/.exec(wanted)?.[0];
    if (home === undefined) {
      return null;
    }
    base = home + base.slice(1);
  }
  return wanted.startsWith(`${base}/`) ? wanted.slice(base.length + 1) : null;
}

/** Whether `showCell` has something to look for. */
export function hasCell(task: Task, tracker: INotebookTracker): boolean {
  return Boolean(
    task.session.cell && (findNotebook(task, tracker) !== null || serverPath(task) !== null)
  );
}

/** Bring a task's cell to the user's eyes, opening its notebook if need be. Where that cannot be, a sentence says why. */
export async function showCell(
  task: Task,
  tracker: INotebookTracker,
  shell: IShell,
  documents: IDocumentManager
): Promise<void> {
  let panel = findNotebook(task, tracker);
  if (panel === null) {
    const path = serverPath(task);
    if (path === null) {
      Notification.warning(
        `The notebook of task ${task.number} is not open: open it, then go to the cell again.`
      );
      return;
    }
    panel = (documents.openOrReveal(path) as NotebookPanel | undefined) ?? null;
    if (panel === null) {
      return; // JupyterLab has said why
    }
    await panel.context.ready;
    await panel.revealed;
  }
  shell.activateById(panel.id);
  const { content } = panel;
  const index = content.widgets.findIndex(cell => cell.model.id === task.session.cell);
  if (index < 0) {
    Notification.warning(`The cell of task ${task.number} is no longer in its notebook.`);
    return;
  }
  content.deselectAll();
  content.activeCellIndex = index;
  await content.scrollToItem(index, 'smart');
  content.node.focus();
}

/**
 * Put code where the user was last typing in a notebook; where they were not, into the active cell if that is empty, else
 * into a new cell below. Says so where there is no notebook for it.
 */
export function insertCode(
  code: string,
  tracker: INotebookTracker,
  shell: IShell,
  cursor: Cursor
): void {
  const panel = tracker.currentWidget;
  const notebook = panel?.content;
  if (!panel || !notebook?.model) {
    Notification.warning('Open a notebook first: the code goes where its cursor is.');
    return;
  }
  if (code.trim() === '') {
    Notification.info('There is no code in this answer.');
    return;
  }
  if (notebook.model.readOnly) {
    Notification.warning('This notebook can only be read: save a copy of it first.');
    return;
  }
  shell.activateById(panel.id);
  const place = cursor.place;
  if (place && writable(notebook, place.editor)) {
    place.editor.replaceSelection?.(code);
    place.editor.focus();
    return;
  }
  const active = notebook.activeCell;
  const free = active?.model.type === 'code' && active.model.sharedModel.getSource().trim() === '';
  if (!free || !active.editor || !writable(notebook, active.editor)) {
    NotebookActions.insertBelow(notebook);
  }
  const cell = notebook.activeCell;
  cell?.model.sharedModel.setSource(code);
  void notebook.scrollToItem(notebook.activeCellIndex, 'smart');
}

function writable(notebook: Notebook, editor: CodeEditor.IEditor): boolean {
  const cell = notebook.widgets.find(one => one.editor === editor);
  return cell !== undefined && cell.model.getMetadata('editable') !== false;
}

/** Without the name of a drive, as "RTC:" of shared documents. */
function localPath(path: string): string {
  return path.replace(/^[A-Za-z][\w-]*:/, '').replace(/^\/+/, '');
}

function slashes(path: string): string {
  return path.replaceAll('\\', '/');
}
