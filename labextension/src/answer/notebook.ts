/** The notebook that an answer stands in: finding it, cells below the answer, and its kernel. */
import type { ISessionContext, ISessionContextDialogs } from '@jupyterlab/apputils';
import type { ICodeCellModel } from '@jupyterlab/cells';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';

import { ANSWER_MIME } from './data';
import type { Surroundings } from './offers';

/** What JupyterLab wants to be handed with a run. */
export interface RunWith {
  dialogs?: ISessionContextDialogs;
  translator?: ITranslator;
}

/** What an undo had the kernel display of the answer anew. */
export interface Redrawn {
  data: ReadonlyPartialJSONObject;
  metadata: ReadonlyPartialJSONObject;
}

export class AnswerNotebook implements Surroundings {
  private constructor(
    private readonly panel: NotebookPanel,
    private readonly node: HTMLElement,
    private readonly runWith: RunWith
  ) {
    this.session.kernelChanged.connect(this.onKernel, this);
    this.session.statusChanged.connect(this.onStatus, this);
  }

  /** The notebook around this node; null where there is none, as in a console or a view of one output. */
  static around(
    node: HTMLElement,
    tracker: INotebookTracker | null,
    runWith: RunWith
  ): AnswerNotebook | null {
    const panel = tracker?.find(one => one.content.node.contains(node));
    return panel ? new AnswerNotebook(panel, node, runWith) : null;
  }

  dispose(): void {
    Signal.clearData(this);
  }

  get kernel(): string {
    return this.connection?.id ?? '';
  }

  /** Emitted when there is another kernel, or none. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** Emitted when the kernel's process has ended, and with it whatever it was at. */
  get ended(): ISignal<this, void> {
    return this.endedSignal;
  }

  /** Put code into a new cell below the answer's, which becomes the active one. */
  insert(code: string): void {
    this.insertBelow(code);
    this.panel.content.activate();
  }

  /** Put code into a new cell below the answer's and run it there. */
  async run(code: string): Promise<void> {
    const cell = this.insertBelow(code);
    await NotebookActions.runCells(
      this.panel.content,
      [cell],
      this.panel.sessionContext,
      this.runWith.dialogs,
      this.runWith.translator
    );
  }

  /**
   * Take back what request `number` did. Returns what the kernel said; what it displays anew of the answer goes to
   * `redraw`, because JupyterLab no longer knows where displays stand that were there before the page was loaded.
   */
  async undo(number: number, task: string, redraw: (shown: Redrawn) => void): Promise<string> {
    const kernel = this.connection;
    if (!kernel) {
      return 'This notebook has no kernel: start one first.';
    }
    const said: string[] = [];
    const future = kernel.requestExecute({
      code: `%llmos undo ${number}`,
      silent: false,
      store_history: false,
      stop_on_error: false
    });
    future.onIOPub = message => {
      said.push(spoken(message));
    };
    const onAny = (_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage) => {
      const { content } = message as KernelMessage.IUpdateDisplayDataMsg;
      if (
        message.header.msg_type === 'update_display_data' &&
        isOf(content.data[ANSWER_MIME], task)
      ) {
        redraw({
          data: content.data as ReadonlyPartialJSONObject,
          metadata: content.metadata
        });
      }
    };
    kernel.iopubMessage.connect(onAny);
    try {
      await future.done;
    } finally {
      kernel.iopubMessage.disconnect(onAny);
      future.dispose();
    }
    return said.join('').trim();
  }

  /** Whether the answer's own cell runs: then interrupting the kernel stops the answer and nothing else. */
  get running(): boolean {
    const cell = this.panel.content.widgets[this.index];
    return (
      cell?.model.type === 'code' && (cell.model as ICodeCellModel).executionState === 'running'
    );
  }

  async interrupt(): Promise<void> {
    await this.connection?.interrupt();
  }

  private insertBelow(code: string) {
    const notebook = this.panel.content;
    const index = this.index + 1;
    notebook.model!.sharedModel.insertCell(index, {
      cell_type: 'code',
      source: code,
      // The user asked for it: its outputs are as trusted as those of a cell that was typed.
      metadata: { trusted: true }
    });
    notebook.activeCellIndex = index;
    notebook.deselectAll();
    void notebook.scrollToItem(index, 'smart').catch(() => undefined);
    return notebook.widgets[index];
  }

  private get index(): number {
    return this.panel.content.widgets.findIndex(cell => cell.node.contains(this.node));
  }

  private get session(): ISessionContext {
    return this.panel.sessionContext;
  }

  private get connection(): Kernel.IKernelConnection | null {
    return this.session.session?.kernel ?? null;
  }

  private onKernel(): void {
    this.changedSignal.emit();
  }

  private onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.endedSignal.emit();
    }
  }

  private readonly changedSignal = new Signal<this, void>(this);
  private readonly endedSignal = new Signal<this, void>(this);
}

/** The words of a message of the kernel's. */
function spoken(message: KernelMessage.IIOPubMessage): string {
  const type = message.header.msg_type;
  if (type === 'stream') {
    return (message as KernelMessage.IStreamMsg).content.text;
  }
  if (type === 'error') {
    // One of ours is a sentence; any other needs its name.
    const { ename, evalue } = (message as KernelMessage.IErrorMsg).content;
    return ename === 'AnswerFailed' ? `${evalue}\n` : `${ename}: ${evalue}\n`;
  }
  if (type === 'display_data' || type === 'execute_result') {
    const text = (message as KernelMessage.IDisplayDataMsg).content.data['text/plain'];
    return typeof text === 'string' && text ? `${text}\n` : '';
  }
  return '';
}

function isOf(data: unknown, task: string): boolean {
  return typeof data === 'object' && data !== null && 'task' in data && data.task === task;
}
