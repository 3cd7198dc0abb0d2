/** The commands of the palette, the toolbar button and the shortcuts. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';

import type { Actions } from './actions';
import { askWithCell, loadExtension, runBeside } from './ask';
import { llmosIcon } from './icon';

export const CATEGORY = 'LLM OS';

export const Command = {
  open: 'llmos:open-panel',
  ask: 'llmos:ask',
  undo: 'llmos:undo',
  cancel: 'llmos:cancel-running',
  load: 'llmos:load-model',
  unload: 'llmos:unload-model',
  why: 'llmos:why'
} as const;

export function addCommands(
  app: JupyterFrontEnd,
  actions: Actions,
  open: () => void,
  tracker: INotebookTracker | null,
  palette: ICommandPalette | null
): void {
  const kernel = (): Kernel.IKernelConnection | null | undefined =>
    tracker?.currentWidget?.sessionContext.session?.kernel;
  const hasNotebook = (): boolean => Boolean(tracker?.currentWidget);
  const { commands } = app;

  commands.addCommand(Command.open, {
    label: 'Open the LLM OS panel',
    icon: llmosIcon,
    execute: open
  });
  commands.addCommand(Command.ask, {
    label: args => (args.toolbar ? '' : 'Turn cell into %%llmos and run'),
    caption: 'Turn the Markdown or raw cell into a %%llmos cell and run it',
    icon: args => (args.toolbar ? llmosIcon : undefined),
    isEnabled: hasNotebook,
    execute: async () => {
      const panel = tracker?.currentWidget;
      if (panel) {
        await askWithCell(panel);
      }
    }
  });
  commands.addCommand(Command.undo, {
    label: 'Undo the last answer',
    isEnabled: () => Boolean(kernel()),
    execute: async () => undoLast(kernel())
  });
  commands.addCommand(Command.cancel, {
    label: 'Cancel what runs',
    execute: () => actions.cancelRunning(kernel()?.id)
  });
  commands.addCommand(Command.load, {
    label: 'Load a model…',
    execute: () => actions.chooseModel()
  });
  commands.addCommand(Command.unload, {
    label: 'Unload the model',
    execute: () => actions.unload()
  });
  commands.addCommand(Command.why, {
    label: 'Why: explain the selected task',
    execute: () => actions.why()
  });

  for (const command of Object.values(Command)) {
    palette?.addItem({ command, category: CATEGORY });
  }
  tracker?.currentChanged.connect(() => commands.notifyCommandChanged());
}

/** Take back what the last answer did, without a cell for it, and show what came of it. */
async function undoLast(kernel: Kernel.IKernelConnection | null | undefined): Promise<void> {
  if (!kernel) {
    Notification.warning('The notebook has no kernel, so that there is nothing to undo.');
    return;
  }
  const missing = await loadExtension(kernel);
  if (missing) {
    Notification.error(missing);
    return;
  }
  const said = await runBeside(kernel, '%llmos undo');
  Notification.info(said || 'The last answer is undone.', { autoClose: 10_000 });
}
