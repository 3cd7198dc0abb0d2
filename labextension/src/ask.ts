/** Turning a cell into a request, and what the notebook's kernel needs for it. */
import { Notification } from '@jupyterlab/apputils';
import { type NotebookPanel, NotebookActions } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';

const MAGIC = '%%llmos';

/** Whether a cell's text is a request already. */
export function isRequest(text: string): boolean {
  return /^\s*%%llmos(\s|$)/.test(text);
}

/** The text of a cell as a request. A request stays as it is. */
export function asRequest(text: string): string {
  return isRequest(text) ? text : `${MAGIC}\n${text}`;
}

/** What keeps this cell from being asked, in one sentence; empty if nothing does. */
export function refusal(type: string, text: string, editable: boolean): string {
  if (type === 'code' && !isRequest(text)) {
    return `This is a code cell: write ${MAGIC} into its first line, or choose a Markdown or raw cell.`;
  }
  if (!text.trim()) {
    return 'The cell is empty: write what you want into it.';
  }
  if (!editable && type !== 'code') {
    return 'The cell is read-only: make it editable, or write the request into another.';
  }
  return '';
}

/** Turn the active Markdown or raw cell into a request, and run it. Says so where it cannot. */
export async function askWithCell(panel: NotebookPanel): Promise<void> {
  const notebook = panel.content;
  const cell = notebook.activeCell;
  if (!cell) {
    Notification.warning('There is no cell: make one and write what you want into it.');
    return;
  }
  const text = cell.model.sharedModel.getSource();
  const problem = refusal(cell.model.type, text, cell.model.getMetadata('editable') !== false);
  if (problem) {
    Notification.warning(problem);
    return;
  }
  const index = notebook.activeCellIndex;
  await panel.sessionContext.ready;
  const kernel = panel.sessionContext.session?.kernel;
  if (!kernel) {
    Notification.warning('The notebook has no kernel: choose one, then ask again.');
    return;
  }
  const missing = await loadExtension(kernel);
  if (missing) {
    Notification.error(missing);
    return;
  }
  if (notebook.widgets[index]?.model.id !== cell.model.id) {
    Notification.warning('The cell has moved meanwhile: ask again.');
    return;
  }
  notebook.activeCellIndex = index;
  notebook.deselectAll();
  if (cell.model.type !== 'code') {
    NotebookActions.changeCellType(notebook, 'code');
    notebook.activeCell?.model.sharedModel.setSource(asRequest(text));
  }
  await NotebookActions.run(notebook, panel.sessionContext);
}

/** Make sure that the kernel knows `%llmos`; the sentence that says why it does not, or "". Loading twice is harmless. */
export async function loadExtension(kernel: Kernel.IKernelConnection): Promise<string> {
  const future = kernel.requestExecute({
    code: '%load_ext llmos_jupyter',
    silent: true,
    store_history: false,
    allow_stdin: false
  });
  const reply = await future.done;
  if (reply.content.status === 'ok') {
    return '';
  }
  const why = 'ename' in reply.content ? ` (${reply.content.ename}: ${reply.content.evalue})` : '';
  return `This kernel cannot load llmos_jupyter${why}: install it where the kernel runs.`;
}

/** Run code in the kernel beside the notebook's cells; what it printed or displayed, as text. */
export async function runBeside(kernel: Kernel.IKernelConnection, code: string): Promise<string> {
  const future = kernel.requestExecute({ code, store_history: false, allow_stdin: false });
  const said: string[] = [];
  future.onIOPub = message => {
    const text = textOf(message);
    if (text) {
      said.push(text);
    }
  };
  await future.done;
  return said.join('').trim();
}

function textOf(message: KernelMessage.IIOPubMessage): string {
  const content = message.content as Partial<
    KernelMessage.IStreamMsg['content'] &
      KernelMessage.IDisplayDataMsg['content'] &
      KernelMessage.IErrorMsg['content']
  >;
  switch (message.header.msg_type) {
    case 'stream':
      return content.text ?? '';
    case 'display_data':
    case 'execute_result': {
      const plain = content.data?.['text/plain'];
      return plain === undefined
        ? ''
        : `${Array.isArray(plain) ? plain.join('') : String(plain)}\n`;
    }
    case 'error':
      return `${content.ename}: ${content.evalue}\n`;
    default:
      return '';
  }
}
