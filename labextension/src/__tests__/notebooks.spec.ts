import { Notification } from '@jupyterlab/apputils';
import {
  CodeMirrorEditorFactory,
  CodeMirrorMimeTypeService,
  EditorLanguageRegistry
} from '@jupyterlab/codemirror';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import {
  type INotebookTracker,
  Notebook,
  NotebookModel,
  type NotebookPanel,
  StaticNotebook
} from '@jupyterlab/notebook';
import { RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { fireEvent, waitFor } from '@testing-library/react';

import { Cursor, findNotebook, hasCell, insertCode, serverPath, showCell } from '../notebooks';
import type { Task } from '../types';

const shell = { activateById: jest.fn() };
const opened: Widget[] = [];
let cursor: Cursor | null = null;

afterEach(() => {
  cursor?.dispose();
  opened.splice(0).forEach(widget => widget.dispose());
  Notification.manager.dismiss();
  shell.activateById.mockClear();
});

/** A real notebook, of these cells, as a panel that is open. */
function open(path: string, kernel: string, sources: string[]): NotebookPanel {
  const languages = new EditorLanguageRegistry();
  const editorFactory = new CodeMirrorEditorFactory({ languages }).newInlineEditor;
  const content = new Notebook({
    rendermime: new RenderMimeRegistry({ initialFactories: standardRendererFactories }),
    contentFactory: new Notebook.ContentFactory({ editorFactory }),
    mimeTypeService: new CodeMirrorMimeTypeService(languages),
    notebookConfig: { ...StaticNotebook.defaultNotebookConfig, windowingMode: 'none' }
  });
  const model = new NotebookModel();
  model.fromJSON({
    cells: sources.map((source, index) => ({
      cell_type: source.startsWith('#md') ? 'markdown' : 'code',
      id: `cell-${index}`,
      source,
      metadata: {},
      ...(source.startsWith('#md') ? {} : { outputs: [], execution_count: null })
    })),
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5
  });
  content.model = model;
  Widget.attach(content, document.body);
  opened.push(content);
  return {
    id: path,
    content,
    context: { path, ready: Promise.resolve() },
    revealed: Promise.resolve(),
    sessionContext: { session: { kernel: { id: kernel } } }
  } as unknown as NotebookPanel;
}

/** The part of JupyterLab's tracker that is used, over open panels; the last is the current one. */
function track(...panels: NotebookPanel[]): INotebookTracker {
  return {
    currentWidget: panels.at(-1) ?? null,
    find: (test: (panel: NotebookPanel) => boolean) => panels.find(test),
    forEach: (act: (panel: NotebookPanel) => void) => panels.forEach(act)
  } as unknown as INotebookTracker;
}

function taskOf(session: Partial<Task['session']>): Task {
  return {
    number: 7,
    session: { id: 'gone', notebook: '', pid: 1, started: 0, cell: '', ...session }
  } as Task;
}

/** What a browser does when one clicks into the active cell; jsdom does not do it for text that can be edited. */
async function focusEditor(panel: NotebookPanel): Promise<void> {
  const text = panel.content.activeCell?.node.querySelector('.cm-content');
  await waitFor(() => expect(text).toBeInTheDocument());
  fireEvent.focusIn(text as Element);
}

const sources = (panel: NotebookPanel): string[] =>
  [...(panel.content.model?.cells ?? [])].map(cell => cell.sharedModel.getSource());
const said = (): string[] => Notification.manager.notifications.map(one => one.message);

test("a task's notebook is the one of its kernel, else the one whose path fits best", () => {
  const one = open('a/sales.ipynb', 'k1', ['']);
  const two = open('sales.ipynb', 'k2', ['']);
  const tracker = track(one, two);
  expect(findNotebook(taskOf({ id: 'k2', notebook: '/w/a/sales.ipynb' }), tracker)).toBe(two);
  expect(findNotebook(taskOf({ notebook: '/w/a/sales.ipynb' }), tracker)).toBe(one);
  expect(findNotebook(taskOf({ notebook: 'C:\\w\\b\\sales.ipynb' }), tracker)).toBe(two);
  expect(findNotebook(taskOf({ notebook: '/w/wholesales.ipynb' }), tracker)).toBeNull();
  expect(findNotebook(taskOf({ id: 'k1' }), track())).toBeNull();
});

test('the path for the server is what follows its root', () => {
  const at = (notebook: string, root: string): string | null =>
    serverPath(taskOf({ notebook }), root);
  expect(at('/srv/work/a/b.ipynb', '/srv/work')).toBe('a/b.ipynb');
  expect(at('/srv/work/a/b.ipynb', '/')).toBe('srv/work/a/b.ipynb');
  expect(at('/home/ann/work/b.ipynb', '~/work')).toBe('b.ipynb');
  expect(at('/root/b.ipynb', '~')).toBe('b.ipynb');
  expect(at('/elsewhere/b.ipynb', '/srv/work')).toBeNull();
  expect(at('/srv/workshop/b.ipynb', '/srv/work')).toBeNull();
  expect(at('', '/srv/work')).toBeNull();
});

test('the cell of a task becomes the active one', async () => {
  const panel = open('a.ipynb', 'k', ['x = 1', 'y = 2', 'z = 3']);
  const task = taskOf({ id: 'k', cell: 'cell-2' });
  const documents = {} as IDocumentManager;
  expect(hasCell(task, track(panel))).toBe(true);
  expect(hasCell(taskOf({ id: 'k' }), track(panel))).toBe(false);
  await showCell(task, track(panel), shell, documents);
  expect(shell.activateById).toHaveBeenCalledWith('a.ipynb');
  expect(panel.content.activeCellIndex).toBe(2);
  await showCell(taskOf({ id: 'k', cell: 'no more' }), track(panel), shell, documents);
  expect(said()).toEqual(['The cell of task 7 is no longer in its notebook.']);
  expect(panel.content.activeCellIndex).toBe(2);
});

test('a notebook that is nowhere is said to be', async () => {
  await showCell(
    taskOf({ notebook: 'untitled', cell: 'c' }),
    track(),
    shell,
    {} as IDocumentManager
  );
  expect(said()).toEqual([
    'The notebook of task 7 is not open: open it, then go to the cell again.'
  ]);
});

test('code goes where the user was typing, also when they have gone to the panel since', async () => {
  const panel = open('a.ipynb', 'k', ['first', 'abcd']);
  cursor = new Cursor(track(panel));
  panel.content.activeCellIndex = 1;
  const editor = panel.content.activeCell?.editor;
  await focusEditor(panel);
  editor?.setCursorPosition({ line: 0, column: 2 });
  const elsewhere = document.body.appendChild(document.createElement('button'));
  fireEvent.focusIn(elsewhere);
  insertCode('XY', track(panel), shell, cursor);
  expect(sources(panel)).toEqual(['first', 'abXYcd']);
  elsewhere.remove();
});

test('without a cursor code goes into an empty cell, else into a new one below', () => {
  const panel = open('a.ipynb', 'k', ['', 'busy', '#md words']);
  cursor = new Cursor(track(panel));
  panel.content.activeCellIndex = 0;
  insertCode('one', track(panel), shell, cursor);
  panel.content.activeCellIndex = 1;
  insertCode('two', track(panel), shell, cursor);
  panel.content.activeCellIndex = 3;
  insertCode('three', track(panel), shell, cursor);
  expect(sources(panel)).toEqual(['one', 'busy', 'two', '#md words', 'three']);
  expect(panel.content.model?.cells.get(4).type).toBe('code');
});

test('leaving the editor within the notebook forgets the place', async () => {
  const panel = open('a.ipynb', 'k', ['abcd']);
  cursor = new Cursor(track(panel));
  panel.content.activeCellIndex = 0;
  await focusEditor(panel);
  expect(cursor.place?.editor).toBe(panel.content.activeCell?.editor);
  fireEvent.focusIn(panel.content.node);
  expect(cursor.place).toBeNull();
});

test('of several notebooks the current one gets the code; without any, and without code, that is said', () => {
  const one = open('a.ipynb', 'k1', ['']);
  const two = open('b.ipynb', 'k2', ['']);
  cursor = new Cursor(track(one, two));
  insertCode('code', track(one, two), shell, cursor);
  expect([sources(one), sources(two)]).toEqual([[''], ['code']]);
  insertCode('code', track(), shell, cursor);
  insertCode(' \n', track(one, two), shell, cursor);
  expect(said().sort()).toEqual([
    'Open a notebook first: the code goes where its cursor is.',
    'There is no code in this answer.'
  ]);
});
